//! Verdicts in the program: with the columns and measures that led to them, and what helps with the options that do it.

use gannet::gan::health::Verdict;

use crate::measures::columns;
use crate::measures::measure::Measured;

/// A verdict on a run or a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// The measures and columns that stand out, if any do, and what was found.
    findings: Option<String>,
    /// Of a run that failed: what helps against its error.
    cure: Option<String>,
}

impl Judgement {
    /// The `verdict` on a run that was measured so: where nothing else stands out, measures and columns decide. Lost modes, values and
    /// spread are the reason for a distance.
    pub(crate) fn new(verdict: Verdict, measured: &Measured) -> Self {
        if matches!(verdict, Verdict::TooEarly | Verdict::Failed) {
            return verdict.into();
        }
        let Measured { findings, columns, .. } = measured;
        let say = |said| findings.iter().any(|finding| finding.verdict == said) || columns::say(columns, said);
        let found = [Verdict::CollapseSuspected, Verdict::FarFromData].into_iter().find(|said| say(*said));
        let found = found.filter(|_| matches!(verdict, Verdict::Healthy | Verdict::FarFromData));
        let words = findings.iter().map(|finding| finding.words.clone()).chain(columns::findings(columns));
        let words: Vec<String> = words.collect();
        let findings = (!words.is_empty()).then(|| words.join("; "));
        Self { verdict: found.unwrap_or(verdict), findings, cure: None }
    }

    /// Of a run that failed, with what helps against its error.
    pub(crate) fn failed(cure: String) -> Self {
        Self { cure: Some(cure), ..Verdict::Failed.into() }
    }

    /// What stands out, what usually helps, and the options that do it; `None` where nothing needs help.
    pub(crate) fn hint(&self) -> Option<String> {
        if self.cure.is_some() {
            return self.cure.clone();
        }
        let hint = self.verdict.hint()?;
        let findings = self.findings.as_ref().map(|findings| format!("{findings}; ")).unwrap_or_default();
        let options = options(self.verdict).join(", ");
        let networks = if self.verdict == Verdict::Failed { "" } else { "; networks: [gan] in config.toml" };
        Some(format!("{findings}{hint} ({options}{networks})"))
    }

    /// The verdict with its hint, for a line.
    pub(crate) fn sentence(&self) -> String {
        let verdict = self.verdict;
        self.hint().map_or_else(|| verdict.to_string(), |hint| format!("{verdict}: {hint}"))
    }
}

impl From<Verdict> for Judgement {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, findings: None, cure: None }
    }
}

/// The options of `gannet train` that do what [`Verdict::hint`] says.
fn options(verdict: Verdict) -> &'static [&'static str] {
    match verdict {
        Verdict::TooEarly => &["--epochs", "--steps", "--evaluate-every"],
        Verdict::DiscriminatorTooStrong => &[
            "--discriminator-learning-rate",
            "--generator-learning-rate",
            "--discriminator-steps",
            "--objective",
            "--r1",
        ],
        Verdict::CollapseSuspected => &["--generator-learning-rate", "--beta1", "--batch", "--seed"],
        Verdict::GeneratorNotLearning => &["--generator-learning-rate", "--discriminator-learning-rate", "--objective"],
        Verdict::FarFromData => &["--learning-rate", "--epochs", "--steps"],
        Verdict::Failed => &["--resume", "--override"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::commands::args::Cli;

    #[test]
    fn hints_name_options_that_exist() {
        let mut cli = Cli::command();
        let help = cli.find_subcommand_mut("train").unwrap().render_long_help().to_string();
        for &verdict in Verdict::ALL {
            for option in options(verdict) {
                let named = [format!("{option} <"), format!("{option}\n")];
                assert!(named.iter().any(|name| help.contains(name)), "{verdict}: {option}");
            }
            assert_eq!(options(verdict).is_empty(), verdict.hint().is_none(), "{verdict}");
        }
    }
}
