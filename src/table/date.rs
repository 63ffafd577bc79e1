//! Days since 1 January 1970 as dates.

/// Days since 1 January 1970 as text, such as `2024-02-29` or `2024-02-29 13:05:00`.
pub(super) fn text(days: f64) -> String {
    let mut day = days.floor();
    let mut seconds = ((days - day) * 86_400.0).round() as u32;
    if seconds == 86_400 {
        (day, seconds) = (day + 1.0, 0);
    }
    let (year, month, of_month) = civil(day as i64);
    let date = format!("{year:04}-{month:02}-{of_month:02}");
    match seconds {
        0 => date,
        s => format!("{date} {:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60),
    }
}

/// Year, month (1 to 12) and day of the month of a day number, in the Gregorian calendar without end in both directions.
///
/// Years are counted from March, so that the day that leap years add is their last one; 400 of them have 146,097 days.
pub(super) fn civil(day: i64) -> (i64, u32, u32) {
    let from_march_of_0 = day.saturating_add(719_468);
    let (cycle, of_cycle) = (from_march_of_0.div_euclid(146_097), from_march_of_0.rem_euclid(146_097));
    let year = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (cycle * 400 + year + i64::from(month <= 2), month as u32, of_month as u32)
}

/// The day number of a date.
fn day_number(year: i64, month: u32, of_month: u32) -> Option<i64> {
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * i64::from(m) + 2) / 5 + i64::from(of_month) - 1;
    let day = 365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + of_year - 719_468;
    // A 31st of April is the 1st of May, and no date.
    (civil(day) == (year, month, of_month)).then_some(day)
}

/// A date such as `2012-09-04`, `4/9/2012`, `04.09.12`, `4 Sep 2012`, `September 4, 2012` or `04.09.2012 13:05`, in days since
/// 1 January 1970; with an offset such as `+02:00` after the time, in those of UTC.
pub(super) fn parse(text: &str, day_first: bool) -> Option<f64> {
    let text = text.trim();
    if let Some(day) = with_month_name(text) {
        return Some(day);
    }
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let is_iso = text[date.len()..].starts_with('T');
    let [a, b, c] = parts(date)?;
    let year_first = date.find(['-', '/', '.']) == Some(4);
    let (year, month, day) = match (year_first, day_first) {
        (true, _) => (a, b, c),
        (false, true) => (c, b, a),
        (false, false) => (c, a, b),
    };
    // With dots the day stands first; what else looks like that are codes.
    let is_short = has_short_year(date) && (day_first || !date.contains('.'));
    let year = if year < 1000 && is_short { full_year(year) } else { year };
    let day = (year >= 1000).then(|| day_number(year.into(), month, day)).flatten()?;
    Some(day as f64 + time_of_day(time, is_iso)?)
}

/// Whether a date is three pairs of digits between dots or slashes. Versions and numbers of chapters are seldom so.
fn has_short_year(date: &str) -> bool {
    !date.contains('-') && date.split(['.', '/']).all(|part| part.len() == 2)
}

/// A year of two digits, from 1969 to 2068 as in POSIX.
fn full_year(year: u32) -> u32 {
    year + if year < 69 { 2000 } else { 1900 }
}

/// The three numbers of a date.
fn parts(date: &str) -> Option<[u32; 3]> {
    let separator = date.chars().find(|c| ['-', '/', '.'].contains(c))?;
    let mut numbers = date.split(separator).map(|part| part.parse::<u32>().ok().filter(|_| part.len() <= 4));
    let parts = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(parts)
}

/// A date with the month in letters, before or after the day, and a year of four digits.
fn with_month_name(text: &str) -> Option<f64> {
    if !text.contains(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let mut words = text.split([' ', ',', '-', '.']).filter(|word| !word.is_empty());
    let (a, b, year) = (words.next()?, words.next()?, words.next()?);
    let (month, day) = month_of(a).map(|month| (month, b)).or_else(|| Some((month_of(b)?, a)))?;
    let year = year.parse::<u32>().ok().filter(|&number| year.len() == 4 && number >= 1000)?;
    let day = day_number(year.into(), month, day.parse().ok()?)?;
    let time = words.next().unwrap_or("");
    let ends = words.next().is_none() && !text.ends_with([',', '-', '.']);
    (ends && !time.contains(['+', '-'])).then(|| Some(day as f64 + time_of_day(time, false)?)).flatten()
}

/// The number of a month in English, in full or by its first three letters.
fn month_of(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_ascii_lowercase();
    let place = MONTHS.iter().position(|&month| word == month || word == month[..3])?;
    Some(place as u32 + 1)
}

/// `13:05` or `13:05:00` as a share of a day, less its offset from UTC, if it has one; nothing is midnight. A minus stands before an
/// offset only after seconds or in ISO 8601: 09:00-10:00 is from nine to ten.
fn time_of_day(time: &str, is_iso: bool) -> Option<f64> {
    if time.is_empty() {
        return Some(0.0);
    }
    let time = time.trim_end_matches('Z');
    let (time, offset) = match time.rfind(['+', '-']) {
        Some(at) => {
            let (clock, rest) = time.split_at(at);
            let is_offset = is_iso || rest.starts_with('+') || clock.matches(':').count() == 2;
            (clock, offset(rest).filter(|_| is_offset)?)
        }
        None => (time, 0.0),
    };
    let mut seconds = 0.0;
    let mut unit = 3600.0;
    for part in time.split(':') {
        let number = part.parse::<f64>().ok().filter(|x| (0.0..60.0).contains(x))?;
        seconds += number * unit;
        unit /= 60.0;
    }
    ((1.0 / 60.0..3600.0).contains(&unit) && seconds < 86_400.0).then_some((seconds - offset) / 86_400.0)
}

/// `+02:00`, `+0200` or `+02` in seconds: the offsets that there are, from -12:00 to +14:00 in quarters of an hour.
fn offset(text: &str) -> Option<f64> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = match text.get(1..)? {
        part if part.len() == 2 => (part, "00"),
        part => part.split_once(':').or_else(|| part.split_at_checked(2))?,
    };
    let number = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i32>().ok().filter(|_| digits)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let seconds = sign * (hours * 3600 + minutes * 60);
    (minutes < 60 && minutes % 15 == 0 && (-12 * 3600..=14 * 3600).contains(&seconds)).then_some(f64::from(seconds))
}

/// Whether all texts are dates, and if so whether the day stands first; where that stays open, it does unless slashes stand
/// between the numbers.
pub(super) fn order<'t>(texts: impl Iterator<Item = &'t str> + Clone) -> Option<bool> {
    let all = |day_first| texts.clone().all(|text| parse(text, day_first).is_some());
    let slashes = texts.clone().any(|text| text.contains('/'));
    let usual = !slashes;
    [usual, !usual].into_iter().find(|&day_first| all(day_first)).filter(|_| texts.clone().next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_are_written() {
        assert_eq!(parse("2012-09-04", false), Some(15_587.0));
        assert_eq!(parse("04-09-2012", true), Some(15_587.0));
        assert_eq!(parse("9/4/2012", false), Some(15_587.0));
        assert_eq!(parse("2012/09/04 12:00", false), Some(15_587.5));
        assert_eq!(parse("2012-09-04T06:00:00Z", false), Some(15_587.25));
        assert_eq!(parse("04.09.12", true), Some(15_587.0));
        assert_eq!(parse("09/04/12 18:00", false), Some(15_587.75));
        assert_eq!(parse("01.01.69", true), Some(-365.0));
        for text in ["4 Sep 2012", "04-Sep-2012", "September 4, 2012", "sep 04 2012", "4. SEPTEMBER 2012"] {
            assert_eq!(parse(text, true), Some(15_587.0), "{text}");
        }
        assert_eq!(parse("4 Sep 2012 06:00", true), Some(15_587.25));
        assert_eq!(parse("2012-09-04T06:00:00+06:00", false), Some(15_587.0));
        assert_eq!(parse("2012-09-04 06:00:00.5-0600", false), Some(15_587.5 + 0.5 / 86_400.0));
        for text in
            ["May", "4 Sep", "4 Sept 2012 late", "1.2.10", "99.99.99", "12:00 4 Sep 2012", "2012-09-04 06:00+9:9"]
        {
            assert_eq!(parse(text, true), None, "{text}");
        }
        for text in ["31.4.2020", "1.2", "1.2.3.4", "12-13-14", "2020-01-01 25:00", "2020-01-01 1:2:3:4", "word", ""] {
            assert_eq!(parse(text, true), None, "{text}");
        }
        for day in (-800_000..800_000).step_by(17) {
            let (year, month, of_month) = civil(day);
            assert_eq!(day_number(year, month, of_month), Some(day));
        }
    }

    #[test]
    fn the_order_of_day_and_month_is_found() {
        let of = |texts: &[&str]| order(texts.iter().copied());
        assert_eq!(of(&["4/9/2012", "5/6/2013"]), Some(false));
        assert_eq!(of(&["4/9/2012", "25/6/2013"]), Some(true));
        assert_eq!(of(&["04-09-2012", "05-06-2013"]), Some(true));
        assert_eq!(of(&["04-09-2012", "05-26-2013"]), Some(false));
        assert_eq!(of(&["04-29-2012", "26-05-2013"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn every_day_of_eight_centuries_follows_the_one_before() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(19_782), (2024, 2, 29));
        let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
        let (mut year, mut month, mut day) = civil(-146_097);
        assert_eq!((year, month, day), (1570, 1, 1));
        for number in -146_096..146_097 {
            let length =
                [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
            (year, month, day) = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, d) if d == length => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
            assert_eq!(civil(number), (year, month, day));
        }
    }

    #[test]
    fn times_of_day_are_shown_where_there_are_any() {
        assert_eq!(text(19_782.0), "2024-02-29");
        assert_eq!(text(19_782.5), "2024-02-29 12:00:00");
        assert_eq!(text(-0.25), "1969-12-31 18:00:00");
        assert_eq!(text(0.999_999_999), "1970-01-02");
    }
}
