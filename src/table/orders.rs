//! The order of levels that are words: known scales of answers, ranges of numbers, no and yes.

use std::cmp::Ordering;

/// Scales of answers, each from low to high; words of one place are separated by `|`.
///
/// A column is on a scale if all its levels are, and at least two of them differ in place.
const SCALES: [&[&str]; 17] = [
    &[
        "strongly disagree|completely disagree|totally disagree",
        "disagree",
        "somewhat disagree|slightly disagree|tend to disagree",
        "neither agree nor disagree|neutral|neither|undecided|no opinion",
        "somewhat agree|slightly agree|tend to agree",
        "agree",
        "strongly agree|completely agree|totally agree",
    ],
    &[
        "extremely dissatisfied|completely dissatisfied",
        "very dissatisfied",
        "dissatisfied|unsatisfied",
        "somewhat dissatisfied|slightly dissatisfied",
        "neither satisfied nor dissatisfied|neutral|neither",
        "somewhat satisfied|slightly satisfied",
        "satisfied",
        "very satisfied",
        "extremely satisfied|completely satisfied",
    ],
    &[
        "extremely unlikely",
        "very unlikely",
        "unlikely",
        "somewhat unlikely",
        "neither likely nor unlikely|neutral",
        "somewhat likely",
        "likely",
        "very likely",
        "extremely likely",
    ],
    &[
        "extremely unimportant",
        "not at all important|very unimportant",
        "not important|unimportant",
        "slightly important|not very important",
        "neutral",
        "somewhat important",
        "moderately important",
        "important|fairly important",
        "very important",
        "extremely important",
    ],
    &[
        "not at all",
        "a little|slightly|a bit",
        "somewhat|moderately",
        "quite a bit|quite|a lot",
        "very|very much",
        "extremely",
    ],
    &["none", "a little", "some", "a lot"],
    &[
        "never",
        "almost never|very rarely",
        "rarely|seldom|hardly ever",
        "occasionally",
        "sometimes",
        "often|frequently",
        "usually|very often|most of the time",
        "almost always",
        "always",
    ],
    &[
        "never",
        "less than once a year",
        "yearly|once a year|annually",
        "a few times a year",
        "quarterly",
        "monthly|once a month",
        "a few times a month",
        "weekly|once a week",
        "a few times a week",
        "daily|every day|once a day",
        "several times a day|multiple times a day",
    ],
    &[
        "terrible|awful",
        "very poor|very bad",
        "poor|bad",
        "below average",
        "fair|average|ok|okay|neutral",
        "above average",
        "good",
        "very good",
        "excellent|great",
        "outstanding",
    ],
    &["none", "very low", "low", "medium low", "medium|moderate|average|middle", "medium high", "high", "very high"],
    &["xxs", "xs|extra small", "s|small", "m|medium", "l|large", "xl|extra large", "xxl|extra extra large", "xxxl"],
    &["beginner|novice", "elementary", "intermediate", "upper intermediate", "advanced", "expert", "native"],
    &[
        "intern|trainee",
        "junior|entry|entry level",
        "mid|middle|intermediate|mid level",
        "senior|senior level",
        "lead",
        "principal",
        "director",
        "executive",
    ],
    &["bronze", "silver", "gold", "platinum", "diamond"],
    &[
        "much worse",
        "worse",
        "slightly worse|a bit worse",
        "the same|same|about the same|no change|unchanged",
        "slightly better|a bit better",
        "better",
        "much better",
    ],
    &[
        "preschool",
        "primary|primary school|elementary school|basic",
        "secondary|secondary school|middle school",
        "high school|high school graduate|hs grad|upper secondary",
        "some college",
        "associate|associate degree|vocational",
        "college|tertiary",
        "bachelor|bachelors|bachelor's|bachelors degree|bachelor's degree|graduation|undergraduate",
        "master|masters|master's|masters degree|master's degree",
        "doctorate|phd|ph d|doctoral|doctoral degree",
    ],
    &["first|1st", "second|2nd", "third|3rd", "fourth|4th", "fifth|5th"],
];

/// Answers that mean no and yes.
const NO: &[&str] = &[
    "no",
    "n",
    "false",
    "f",
    "0",
    "off",
    "none",
    "never",
    "absent",
    "inactive",
    "unchecked",
    "not selected",
    "not checked",
];
const YES: &[&str] = &["yes", "y", "true", "t", "1", "on", "any", "ever", "present", "active", "checked", "selected"];

/// Lower case, with single spaces for all that is neither letter nor digit, but apostrophes.
fn plain(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| match c {
            '’' | '\'' => '\'',
            c if c.is_alphanumeric() => c,
            _ => ' ',
        })
        .collect();
    spaced.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// The levels in their order if they are a scale of answers or ranges of numbers.
pub(super) fn ordered(levels: &[String]) -> Option<Vec<String>> {
    let words: Vec<String> = levels.iter().map(|level| plain(level)).collect();
    let place = |scale: &[&str], word: &str| scale.iter().position(|step| step.split('|').any(|w| w == word));
    for scale in SCALES {
        let places: Option<Vec<usize>> = words.iter().map(|word| place(scale, word)).collect();
        if let Some(places) = places.filter(|places| places.iter().any(|&p| p != places[0])) {
            return Some(sorted(levels, |i| places[i] as f64));
        }
    }
    if levels.iter().all(|level| level.chars().all(|c| c.is_ascii_digit())) {
        return None;
    }
    let starts: Option<Vec<f64>> = levels.iter().map(|level| start_of_range(level)).collect();
    starts.filter(|starts| starts.len() > 2 && distinct(starts)).map(|starts| sorted(levels, |i| starts[i]))
}

fn distinct(numbers: &[f64]) -> bool {
    numbers.iter().enumerate().all(|(i, a)| numbers[..i].iter().all(|b| a != b))
}

fn sorted(levels: &[String], place: impl Fn(usize) -> f64) -> Vec<String> {
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_by(|&a, &b| place(a).total_cmp(&place(b)).then(levels[a].cmp(&levels[b])));
    order.into_iter().map(|i| levels[i].clone()).collect()
}

/// Where a range such as "18-24", "65 or older", "under 18" or "$50k to $75k" begins; None for other texts.
fn start_of_range(text: &str) -> Option<f64> {
    let text = text.to_lowercase();
    let below =
        ["under", "less than", "below", "up to", "fewer than", "younger than", "<"].iter().any(|w| text.contains(w));
    let mut numbers = Vec::new();
    let mut digits = String::new();
    for c in text.chars().chain([' ']) {
        match c {
            '0'..='9' | '.' => digits.push(c),
            // Thousands, as in 50,000.
            ',' if !digits.is_empty() => {}
            _ => {
                let factor = if c == 'k' { 1000.0 } else { 1.0 };
                if let Ok(number) = digits.trim_end_matches('.').parse::<f64>() {
                    numbers.push(number * factor);
                }
                digits.clear();
            }
        }
    }
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    // A name with a number in it, such as "Product line 3", is no range.
    let first = numbers.first().filter(|_| numbers.len() <= 2 && letters <= 20)?;
    let open = below || ["+", "more", "over", "older", "above", "at least", ">"].iter().any(|w| text.contains(w));
    match numbers.len() {
        2 => Some(*first),
        _ if below => Some(first - 0.5),
        _ if open => Some(first + 0.5),
        _ if letters == 0 => Some(*first),
        _ => ["year", "month", "day", "hour", "minute"].iter().any(|unit| text.contains(unit)).then_some(*first),
    }
}

/// Two levels as (no, yes), if they say so.
pub(super) fn no_yes(levels: &[String]) -> Option<[String; 2]> {
    let [a, b] = levels else { return None };
    match (means_yes(a)?, means_yes(b)?) {
        (false, true) => Some([a.clone(), b.clone()]),
        (true, false) => Some([b.clone(), a.clone()]),
        _ => None,
    }
}

/// Whether a text means yes, or no; None where it means neither.
pub(super) fn means_yes(text: &str) -> Option<bool> {
    let word = plain(text);
    let is = |words: &[&str]| words.contains(&word.as_str());
    if is(NO) { Some(false) } else { is(YES).then_some(true) }
}

/// Texts sorted as people sort them: numbers by size, before words.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    match (a.trim().parse::<f64>(), b.trim().parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y).then(a.cmp(b)),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        _ => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(levels: &[&str]) -> Option<Vec<String>> {
        ordered(&levels.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn scales_of_answers_are_known() {
        assert_eq!(order(&["High", "Low", "Medium"]).unwrap(), ["Low", "Medium", "High"]);
        let agree = ["Strongly agree", "Agree", "Neither agree nor disagree", "Disagree", "Strongly Disagree"];
        assert_eq!(order(&agree).unwrap(), agree.iter().rev().copied().collect::<Vec<_>>());
        assert_eq!(order(&["Often", "Never", "Sometimes"]).unwrap(), ["Never", "Sometimes", "Often"]);
        assert_eq!(
            order(&["PhD", "Master's", "Graduation", "Basic"]).unwrap(),
            ["Basic", "Graduation", "Master's", "PhD"]
        );
        assert!(order(&["red", "high"]).is_none() && order(&["low"]).is_none());
    }

    #[test]
    fn ranges_are_ordered_by_where_they_begin() {
        let ages = ["65+", "18-24", "Under 18", "25-34"];
        assert_eq!(order(&ages).unwrap(), ["Under 18", "18-24", "25-34", "65+"]);
        let incomes = ["$100k or more", "Less than $25,000", "$25,000 to $49,999", "$50k - $99k"];
        assert_eq!(order(&incomes).unwrap(), [incomes[1], incomes[2], incomes[3], incomes[0]]);
        assert_eq!(order(&["2-3 years", "1 year", "more than 3 years"]).unwrap()[0], "1 year");
        assert!(order(&["Product line 3", "Product line 1", "Line 2"]).is_none());
        assert!(order(&["A1", "B2", "C3"]).is_none());
    }

    #[test]
    fn no_comes_before_yes() {
        let levels = ["Yes".to_string(), "No".to_string()];
        assert_eq!(no_yes(&levels).unwrap(), ["No", "Yes"]);
        assert!(no_yes(&["Female".into(), "Male".into()]).is_none());
        assert_eq!(natural("10", "9"), Ordering::Greater);
        assert_eq!(natural("10", "ten"), Ordering::Less);
    }
}
