//! The verdicts on a run's health: the last one, and how they followed each other.

use gannet::gan::health;
use gannet::internals::numbers::thousands;
use maud::{Markup, html};

use super::record::Record;
use super::table::Verdict;
use crate::measures::judgement::Judgement;
use crate::numbers::counted;

/// Stretches that are told in words below the strip.
const MOST_TOLD: usize = 12;

/// The class of a verdict, which gives its color.
pub(super) fn tone(words: &str) -> &'static str {
    let words = words.to_ascii_lowercase();
    let has = |part: &str| words.contains(part);
    match () {
        () if words.is_empty() || words.starts_with("too early") => "unknown",
        () if ["collapse", "far from", "failed"].into_iter().any(has) => "bad",
        () if words.starts_with("healthy") => "good",
        () => "warn",
    }
}

/// What usually helps against the last verdict; while a run goes on only where that is bad.
pub(super) fn advice(record: &Record) -> Option<String> {
    let bad = || health::Verdict::from_words(record.verdict()?).filter(|verdict| verdict.is_bad());
    record.hint().or_else(|| bad().and_then(|verdict| Judgement::from(verdict).hint()))
}

/// The strip of all verdicts over the steps, with the same in words. A verdict stands for the steps before its evaluation.
pub(super) fn strip(verdicts: &[Verdict]) -> Markup {
    let mut before = 0;
    let widths: Vec<u64> = verdicts
        .iter()
        .map(|verdict| {
            let width = verdict.last.saturating_sub(before);
            before = verdict.last;
            width
        })
        .collect();
    let told = verdicts.len().saturating_sub(MOST_TOLD);
    html! {
        .strip role="img" aria-label="The verdicts over the steps, which are listed below" {
            @for (verdict, width) in verdicts.iter().zip(&widths) {
                @let title = format!("{}: {}", steps(verdict), words(verdict));
                span.(tone(&verdict.words)) style={ "flex-grow:" (width) } title=(title) {}
            }
        }
        ul.verdicts {
            @if told > 0 { li.note { (counted(told as u64, "earlier verdict")) } }
            @for verdict in &verdicts[told..] {
                li class=(tone(&verdict.words)) { i {} span { (steps(verdict)) } " " b { (words(verdict)) } }
            }
        }
    }
}

fn words(verdict: &Verdict) -> &str {
    if verdict.words.is_empty() { "no verdict" } else { &verdict.words }
}

fn steps(verdict: &Verdict) -> String {
    let Verdict { first, last, .. } = *verdict;
    if first == last {
        format!("step {}", thousands(last))
    } else {
        format!("steps {} to {}", thousands(first), thousands(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_have_a_tone() {
        for (words, expected) in [
            ("", "unknown"),
            ("too early to tell", "unknown"),
            ("far from the data", "bad"),
            ("failed", "bad"),
            ("healthy", "good"),
            ("Healthy", "good"),
            ("D too strong", "warn"),
            ("not healthy", "warn"),
            ("anything else", "warn"),
            ("collapse suspected", "bad"),
        ] {
            assert_eq!(tone(words), expected, "{words}");
        }
    }

    #[test]
    fn many_verdicts_are_told_by_the_last() {
        let verdict = |index: u64| Verdict { first: 10 * index, last: 10 * index, words: format!("<{index}>") };
        let text = strip(&(0..20).map(verdict).collect::<Vec<_>>()).into_string();
        assert_eq!(text.matches("<li").count(), MOST_TOLD + 1);
        assert!(text.contains("8 earlier verdicts") && text.contains("&lt;19&gt;") && !text.contains("<19>"), "{text}");
        assert_eq!(text.matches("flex-grow:10").count(), 19);
    }
}
