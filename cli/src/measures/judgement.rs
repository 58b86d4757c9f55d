//! Verdicts in the program: with the columns that led to them, and what helps with the options that do it.

use gannet::gan::health::Verdict;

use crate::measures::columns::{self, Column};

/// A verdict on a run or a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// The columns that stand out, if any do, and what was found.
    findings: Option<String>,
    /// Of a run that failed: what helps against its error.
    cure: Option<String>,
}

impl Judgement {
    /// The `verdict` on a run whose columns are these: where nothing else stands out, they decide. Lost values are the reason for a
    /// distance.
    pub(crate) fn new(verdict: Verdict, columns: &[Column]) -> Self {
        if matches!(verdict, Verdict::TooEarly | Verdict::Failed) {
            return verdict.into();
        }
        let of_columns =
            columns::verdict(columns).filter(|_| matches!(verdict, Verdict::Healthy | Verdict::FarFromData));
        Self { verdict: of_columns.unwrap_or(verdict), findings: columns::findings(columns), cure: None }
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
