//! The points of a sweep: every combination of the values of its settings.

use crate::core::{Error, Result};

/// A setting and its values, as `--grid lr=1e-3,3e-4` says them.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The setting's name; `seed` is the run's seed unless the script declares one.
    pub name: String,
    /// Its values as text.
    pub values: Vec<String>,
}

/// Reads `NAME=VALUES`: values between commas, or whole numbers `0..5` (without the 5) and `0..=5`.
///
/// # Errors
/// No name, no value, a range that is none.
pub fn axis(text: &str) -> Result<Axis, String> {
    let (name, values) =
        text.split_once('=').filter(|(n, _)| !n.trim().is_empty()).ok_or("write it NAME=VALUES")?;
    // `..` between paths is no range.
    let values = match values.split_once("..").filter(|_| !values.contains(['/', ','])) {
        Some((from, to)) => {
            let wrong =
                |_| format!("{values} is no range of whole numbers: write it 0..5, or 0..=5 with the end");
            let (to, more) = to.strip_prefix('=').map_or((to, 0), |t| (t, 1));
            let (from, to) =
                (from.trim().parse::<i64>().map_err(wrong)?, to.trim().parse::<i64>().map_err(wrong)?);
            (from..to + more).map(|n| n.to_string()).collect()
        }
        None => values.split(',').map(|v| v.trim().to_string()).filter(|v| !v.is_empty()).collect::<Vec<_>>(),
    };
    if values.is_empty() {
        return Err(format!("{} has no values", name.trim()));
    }
    Ok(Axis { name: name.trim().to_string(), values })
}

/// Every combination, the last axis fastest.
///
/// # Errors
/// The same setting twice.
pub fn points(axes: &[Axis]) -> Result<Vec<Vec<(String, String)>>> {
    for (i, a) in axes.iter().enumerate() {
        if axes[..i].iter().any(|b| b.name == a.name) {
            return Err(Error::new(format!("--grid names `{}` twice", a.name))
                .hint("give its values in one: a=1,2,3"));
        }
    }
    let mut all = vec![Vec::new()];
    for axis in axes {
        let more = |p: &Vec<(String, String)>| {
            let with = |v: &String| p.iter().cloned().chain([(axis.name.clone(), v.clone())]).collect();
            axis.values.iter().map(with).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(more).collect();
    }
    Ok(all)
}

/// A point in words, which is also the name of its folder: `lr=1e-3,seed=0`.
pub fn name(point: &[(String, String)]) -> String {
    let text = point.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(",");
    text.chars().map(|c| if c == '/' || c.is_control() { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_are_read_and_multiplied() {
        let two = [axis("lr=1e-3, 3e-4").unwrap(), axis("seed=0..3").unwrap()];
        assert_eq!(
            (two[0].values.clone(), two[1].values.len()),
            (vec!["1e-3".to_string(), "3e-4".into()], 3)
        );
        let all = points(&two).unwrap();
        assert_eq!(all.len(), 6);
        assert_eq!(name(&all[1]), "lr=1e-3,seed=1");
        assert_eq!(axis("n=1..=3").unwrap().values, ["1", "2", "3"]);
        assert_eq!(axis("net=../a.pth,../b.pth").unwrap().values, ["../a.pth", "../b.pth"]);
        for bad in ["lr", "=1", "lr=", "n=1..x", "n=3..1"] {
            assert!(axis(bad).is_err(), "{bad}");
        }
        assert!(points(&[two[0].clone(), two[0].clone()]).is_err());
    }
}
