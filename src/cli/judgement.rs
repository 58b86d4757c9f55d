//! Verdicts in the program: what helps, with the options that do it.

use crate::gan::health::Verdict;

/// The options of `gannet train` that do what [`Verdict::hint`] says.
fn options(verdict: Verdict) -> &'static [&'static str] {
    match verdict {
        Verdict::TooEarly => &["--epochs", "--steps", "--evaluate-every"],
        Verdict::DiscriminatorTooStrong => {
            &["--discriminator-learning-rate", "--generator-learning-rate", "--discriminator-steps", "--objective"]
        }
        Verdict::CollapseSuspected => &["--generator-learning-rate", "--beta1", "--batch", "--seed"],
        Verdict::GeneratorNotLearning => &["--generator-learning-rate", "--discriminator-learning-rate", "--objective"],
        Verdict::FarFromData => &["--learning-rate", "--epochs", "--steps"],
        Verdict::Failed => &["--resume"],
        _ => &[],
    }
}

/// What usually helps, and the options that do it; `None` where nothing needs help.
pub(crate) fn hint(verdict: Verdict) -> Option<String> {
    let hint = verdict.hint()?;
    let options = options(verdict).join(", ");
    Some(format!("{hint} ({options}; networks: [gan] in config.toml)"))
}

/// A verdict with its hint, for a line.
pub(crate) fn sentence(verdict: Verdict) -> String {
    hint(verdict).map_or_else(|| verdict.to_string(), |hint| format!("{verdict}: {hint}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Cli;

    #[test]
    fn hints_name_options_that_exist() {
        let mut cli = Cli::command();
        let help = cli.find_subcommand_mut("train").unwrap().render_long_help().to_string();
        for verdict in Verdict::ALL {
            for option in options(verdict) {
                assert!(help.contains(&format!("{option} <")), "{verdict}: {option}");
            }
            assert_eq!(options(verdict).is_empty(), verdict.hint().is_none(), "{verdict}");
        }
    }
}
