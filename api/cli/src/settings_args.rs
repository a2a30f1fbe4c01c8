//! One flag and one environment variable for each setting, made from the service's table of settings.

use std::collections::BTreeMap;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use partitura_service::Settings;

/// Settings given on the command line or in the environment: name to text and origin.
#[derive(Clone, Debug, Default)]
pub struct SettingsArgs(pub BTreeMap<&'static str, Given>);

/// One given setting.
#[derive(Clone, Debug)]
pub struct Given {
    pub text: String,
    pub origin: Origin,
}

/// Where a setting's value comes from, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Flag,
    Environment,
    File,
    Default,
}

impl Origin {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

impl Args for SettingsArgs {
    fn augment_args(command: Command) -> Command {
        let args = Settings::TABLE.iter().map(|setting| {
            let help = if setting.default.is_empty() {
                setting.doc.to_owned()
            } else {
                format!("{} [default: {}]", setting.doc, setting.default)
            };
            // Only the commonest are shown in short help; `partitura config` lists all.
            let common = matches!(setting.name, "data" | "http" | "flight" | "pg" | "otlp_grpc" | "otlp_http");
            Arg::new(setting.name)
                .long(forever(setting.flag()))
                .env(forever(setting.variable()))
                .hide_env_values(true)
                .hide_short_help(!common)
                .help(help)
                .help_heading("Settings")
                .value_name("VALUE")
                .global(true)
        });
        command.args(args)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingsArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in Settings::TABLE {
            let origin = match matches.value_source(setting.name) {
                Some(ValueSource::CommandLine) => Origin::Flag,
                Some(ValueSource::EnvVariable) => Origin::Environment,
                _ => continue,
            };
            if let Some(text) = matches.get_one::<String>(setting.name) {
                self.0.insert(setting.name, Given { text: text.clone(), origin });
            }
        }
        Ok(())
    }
}

/// The grammar lives as long as the program, and is made once.
fn forever(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}
