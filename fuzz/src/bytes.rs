//! Values from an input's bytes. After its end all are zero, so that every input stands for something.

pub(crate) struct Bytes {
    all: Vec<u8>,
    at: usize,
}

impl Bytes {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Bytes { all: bytes.to_vec(), at: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at >= self.all.len()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// A number below `end`, which is at most 65536.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let number = if end > 256 { u16::from_le_bytes(self.array()).into() } else { usize::from(self.byte()) };
        number % end.max(1)
    }

    pub(crate) fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// A count: mostly small, else absurd.
    pub(crate) fn count(&mut self) -> usize {
        match self.byte() {
            small @ 0..240 => usize::from(small) % 40,
            240..246 => usize::MAX,
            246..250 => usize::MAX / 2 + 1,
            250..253 => u32::MAX as usize,
            _ => u64::from_le_bytes(self.array()) as usize,
        }
    }

    /// A count of things that each cost work by right.
    pub(crate) fn few(&mut self, most: usize) -> usize {
        self.below(most + 1)
    }

    /// A number as people choose them, or any there is.
    pub(crate) fn real(&mut self) -> f64 {
        const USUAL: [f64; 24] = [
            0.0,
            1.0,
            0.5,
            0.1,
            0.25,
            0.3,
            0.9,
            0.05,
            2.0,
            10.0,
            1e-3,
            1e-6,
            1e-300,
            5e-324,
            1e38,
            1e39,
            1e308,
            -0.0,
            -1.0,
            -1e-9,
            -1e308,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        match self.byte() {
            usual @ 0..192 => USUAL[usize::from(usual) % USUAL.len()],
            192..224 => f64::from(self.byte()) / 256.0,
            _ => f64::from_le_bytes(self.array()),
        }
    }

    /// A value of a table: small and often repeated, or missing, infinite, huge or any there is.
    pub(crate) fn value(&mut self) -> f32 {
        match self.byte() {
            small @ 0..200 => f32::from(small % 50) - 10.0,
            fine @ 200..230 => f32::from(fine) * 0.37,
            230..236 => f32::NAN,
            236 => f32::INFINITY,
            237 => f32::NEG_INFINITY,
            238..241 => f32::MAX,
            241..243 => f32::MIN,
            243..246 => 1e-40,
            246..248 => 16_777_216.0,
            _ => f32::from_le_bytes(self.array()),
        }
    }

    /// A short text, of words that occur again.
    pub(crate) fn word(&mut self) -> String {
        const WORDS: [&str; 20] = [
            "a",
            "b",
            "c",
            "yes",
            "no",
            "",
            " ",
            "never",
            "often",
            "always",
            "1",
            "2,5",
            "2024-02-29",
            "31.12.1999",
            "x;y",
            "NA",
            "-1e9",
            "\u{202e}ä",
            "<b>&\"'",
            "a\nb",
        ];
        match self.byte() {
            usual @ 0..230 => WORDS[usize::from(usual) % WORDS.len()].to_string(),
            _ => {
                let length = self.below(12);
                String::from_utf8_lossy(self.next(length)).into_owned()
            }
        }
    }

    fn next(&mut self, length: usize) -> &[u8] {
        let from = self.at.min(self.all.len());
        let to = (from + length).min(self.all.len());
        self.at = to;
        &self.all[from..to]
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let own = self.next(N);
        std::array::from_fn(|i| own.get(i).copied().unwrap_or(0))
    }
}
