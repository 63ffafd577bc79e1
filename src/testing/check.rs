//! The promises, one by one.

/// A promise that the kit checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// No input causes a panic.
    Panics,
    /// Ordinary rows get an answer.
    Answers,
    /// One label, one position, or one line of attributions for each row.
    Shape,
    /// Labels are -1 or numbered from 0 without gaps. Clusterers.
    Labels,
    /// A row of noise has membership 0. Clusterers.
    Noise,
    /// Memberships, one for each row, and persistences, one for each cluster, lie within 0 to 1. Clusterers.
    Membership,
    /// Positions and attributions are finite numbers. Embedders and explainers.
    Finite,
    /// The same call gives the same bits.
    Determinism,
    /// A seed gives the same bits whatever was run before it.
    Seed,
    /// 1, 2 and 4 threads give the same bits.
    Threads,
    /// Rows in another order give the same answer for each row; of a clusterer, the same grouping.
    RowOrder,
    /// Rows in another order leave each cluster its number. Clusterers.
    Numbering,
    /// Equal rows get equal answers.
    Duplicates,
    /// A table stored column by column gives what the same table stored row by row gives.
    Layout,
    /// `embed_in_full` and `prepare` give what `embed` gives, and `for_sample` of all rows clusters them alike, as do
    /// weights of 1. Embedders and clusterers; a plug-in that leaves these methods to their defaults keeps it.
    Provided,
    /// Odd tables (one row, all rows equal, huge values) get a well-formed answer or an error.
    Degenerate,
    /// NaN and infinities are an error, never an answer. An explainer may answer where its model takes NaN as missing, with
    /// finite numbers.
    NotFinite,
    /// A cancelled run ends with [`Error::Cancelled`](crate::Error::Cancelled).
    Cancellation,
    /// Attributions and base values add up to the model's outputs, to 1e-6 of their scale. Explainers.
    Additivity,
}

impl Check {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Check::Panics => "no panic",
            Check::Answers => "answers",
            Check::Shape => "shape",
            Check::Labels => "labels",
            Check::Noise => "noise",
            Check::Membership => "membership",
            Check::Finite => "finite",
            Check::Determinism => "determinism",
            Check::Seed => "seed",
            Check::Threads => "threads",
            Check::RowOrder => "row order",
            Check::Numbering => "numbering",
            Check::Duplicates => "duplicates",
            Check::Layout => "layout",
            Check::Provided => "provided methods",
            Check::Degenerate => "odd tables",
            Check::NotFinite => "NaN and infinities",
            Check::Cancellation => "cancellation",
            Check::Additivity => "additivity",
        }
    }

    /// What is expected.
    pub fn promise(self) -> &'static str {
        match self {
            Check::Panics => "an answer or an error, never a panic",
            Check::Answers => "an answer for ordinary rows",
            Check::Shape => "as many rows in the answer as in the table, in the same order",
            Check::Labels => "labels of -1 (noise) or 0, 1, 2 and so on, each of which some row has",
            Check::Noise => "membership 0 for every row with label -1",
            Check::Membership => "memberships and persistences between 0 and 1",
            Check::Finite => "finite numbers only",
            Check::Determinism => "the same bits from the same call",
            Check::Seed => "the same bits from the same seed, whatever ran in between",
            Check::Threads => "the same bits at 1, 2 and 4 threads",
            Check::RowOrder => "for each row the same answer in whatever order the rows stand",
            Check::Numbering => "the same number for each cluster in whatever order the rows stand",
            Check::Duplicates => "the same answer for rows that are equal",
            Check::Layout => "the same answer however the table lies in memory",
            Check::Provided => "from the methods with a default what the required method gives",
            Check::Degenerate => "a well-formed answer or an error",
            Check::NotFinite => "an error for NaN, infinity and minus infinity",
            Check::Cancellation => "Error::Cancelled soon after the run has been cancelled",
            Check::Additivity => "attributions plus base values that give the model's outputs",
        }
    }

    /// How to fix it.
    pub fn remedy(self) -> &'static str {
        match self {
            Check::Panics => {
                "check the table first (rows, columns, finite values) and return an Error; a foreign error goes into \
                 Error::Plugin"
            }
            Check::Answers => "if the kit's rows do not suit the method, pass others with .rows(&table)",
            Check::Shape => "put the answer for row i at index i, also for rows that were left out on the way",
            Check::Labels => {
                "build the answer with Clustering::new, or with Clustering::compact where numbers have gaps"
            }
            Check::Noise => "give with_membership 0 for each row that is labelled NOISE",
            Check::Membership => "divide by the largest value; clamp what rounding leaves outside",
            Check::Finite => "look for 0 / 0, for differences of infinities and for sums beyond the range of f32",
            Check::Determinism => {
                "take random numbers from run.rng() or run.key() alone; do not iterate over a HashMap; keep no state \
                 between calls"
            }
            Check::Seed => "keep nothing between calls: everything must follow from rows, settings and run.key()",
            Check::Threads => "cut work into pieces of a fixed size, and add pieces up in their order",
            Check::RowOrder => {
                "sort the rows by content first and work in that order; settle ties by content, not by place; draw \
                 random numbers by content or by sorted place"
            }
            Check::Numbering => {
                "number clusters by something of their content, such as their first row in sorted order"
            }
            Check::Duplicates => "work on different rows with weights, or settle ties between equal rows alike",
            Check::Layout => {
                "read through rows() or indices; as_slice() is None for tables that are not stored row by row"
            }
            Check::Provided => {
                "build them from the same steps as the required method, and draw random numbers from the run that is given"
            }
            Check::Degenerate => {
                "return an Error that says how many rows or columns are needed, or that the result is not finite"
            }
            Check::NotFinite => {
                "look for values that are not finite first, and return Error::NotFinite with their place"
            }
            Check::Cancellation => {
                "call run.stage(name, steps).step(done)? in the outer loop; it returns the error when the run has been \
                 cancelled"
            }
            Check::Additivity => {
                "sum in f64; make sure that the base value is the one that the attributions start from"
            }
        }
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
