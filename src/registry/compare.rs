//! Printed text against what was expected: numbers within a tolerance, the text between them exactly, `[..]`
//! standing for anything within a line.

#[derive(Debug, PartialEq)]
enum Token {
    Char(char),
    Number(f64),
    Any,
}

fn tokens(line: &str) -> Vec<Token> {
    let chars: Vec<char> = line.chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        if chars[i..].starts_with(&['[', '.', '.', ']']) {
            out.push(Token::Any);
            i += 4;
            continue;
        }
        let word_before =
            i > 0 && (chars[i - 1].is_alphanumeric() || matches!(chars[i - 1], '_' | '.' | ')' | ']'));
        match number(&chars[i..]).filter(|_| !word_before) {
            Some((value, len)) => {
                out.push(Token::Number(value));
                i += len;
            }
            None => {
                out.push(Token::Char(chars[i]));
                i += 1;
            }
        }
    }
    out
}

/// The number at the start of `chars` and its length: `-1`, `2.`, `.5`, `1e-3`.
fn number(chars: &[char]) -> Option<(f64, usize)> {
    let digits = |from: usize| chars[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mut i = usize::from(matches!(chars.first(), Some('-' | '+')));
    let whole = digits(i);
    i += whole;
    let mut fraction = 0;
    // `1..3` is a range, not `1.` and `.3`.
    if chars.get(i) == Some(&'.') && chars.get(i + 1) != Some(&'.') {
        fraction = digits(i + 1);
        i += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(chars.get(i), Some('e' | 'E')) {
        let sign = usize::from(matches!(chars.get(i + 1), Some('-' | '+')));
        let exponent = if i + 1 + sign < chars.len() { digits(i + 1 + sign) } else { 0 };
        if exponent > 0 {
            i += 1 + sign + exponent;
        }
    }
    let text: String = chars[..i].iter().collect();
    text.parse().ok().map(|v| (v, i))
}

/// True when `actual` is `expected` but for numbers that differ by at most `tolerance · (1 + |expected|)`.
fn same_line(expected: &[Token], actual: &[Token], tolerance: f64) -> bool {
    let same = |e: &Token, a: &Token| match (e, a) {
        (Token::Number(e), Token::Number(a)) => e == a || (e - a).abs() <= tolerance * (1.0 + e.abs()),
        (e, a) => e == a,
    };
    // Greedy matching with one point of return, as for file name patterns.
    let (mut e, mut a, mut back) = (0, 0, None);
    while a < actual.len() {
        if expected.get(e) == Some(&Token::Any) {
            back = Some((e, a));
            e += 1;
        } else if expected.get(e).is_some_and(|t| same(t, &actual[a])) {
            e += 1;
            a += 1;
        } else if let Some((star, from)) = back {
            back = Some((star, from + 1));
            e = star + 1;
            a = from + 1;
        } else {
            return false;
        }
    }
    expected[e..].iter().all(|t| *t == Token::Any)
}

/// The first line that differs: its number, what was expected, what came.
pub fn difference(expected: &str, actual: &str, tolerance: f64) -> Option<(usize, String, String)> {
    let (mut e, mut a) = (expected.lines(), actual.lines());
    for i in 1.. {
        match (e.next(), a.next()) {
            (None, None) => return None,
            (Some(e), Some(a)) if same_line(&tokens(e), &tokens(a), tolerance) => {}
            (e, a) => {
                let show = |l: Option<&str>| l.map_or("(no more lines)".to_string(), str::to_string);
                return Some((i, show(e), show(a)));
            }
        }
    }
    None
}

/// `difference` of texts whose line breaks and runs of blanks do not count.
pub fn same_words(expected: &str, actual: &str, tolerance: f64) -> bool {
    let flat = |t: &str| t.split_whitespace().collect::<Vec<_>>().join(" ");
    difference(&flat(expected), &flat(actual), tolerance).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_within_the_tolerance_text_exactly() {
        let same = |e: &str, a: &str| difference(e, a, 1e-4).is_none();
        assert!(same("loss 0.12345 at 3", "loss 0.12346 at 3"));
        assert!(!same("loss 0.12345", "loss 0.1244"));
        assert!(!same("loss 0.5", "lost 0.5"));
        assert!(same("tensor([-0.5, 2.])", "tensor([-0.50001, 2.0000])"));
        assert!(!same("layer4", "layer4.00001"));
        assert!(same("1e-3", "0.001"));
        assert!(!same("a\nb", "a"));
        assert!(!same("a", "a\nb"));
    }

    #[test]
    fn wildcards_stand_for_anything() {
        let same = |e: &str, a: &str| difference(e, a, 0.0).is_none();
        assert!(same("took [..] s, 3 steps", "took 1.25 s, 3 steps"));
        assert!(same("[..]/x.png", "outputs/a/x.png"));
        assert!(!same("took [..] s, 3 steps", "took 1.25 s, 4 steps"));
        assert!(same("[0..3]", "[0..3]"));
    }
}
