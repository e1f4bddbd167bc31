//! What a command must hold to be offered.

use super::{Choices, CommandDefinition, CommandOption, LOCALES, Localized, OptionKind};
use crate::limits;
use crate::rejection::FieldError;

/// What is wrong with a command; nothing, if it may be offered.
pub fn check(definition: &CommandDefinition) -> Vec<FieldError> {
    let mut errors = Errors(Vec::new());
    errors.name("name", &definition.name);
    errors.description("description", &definition.description);
    errors.options("options", &definition.options, Level::Command);
    let size = size(&definition.name)
        + self::size(&definition.description)
        + options_size(&definition.options);
    let max = limits::COMMAND_CHARS_MAX;
    if max < size {
        let why = format!("a command may have {max} characters in all");
        errors.note("", "too_long", why);
    }
    errors.0
}

/// How deep an option stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Command,
    Group,
    Subcommand,
}

struct Errors(Vec<FieldError>);

impl Errors {
    fn note(&mut self, path: &str, code: &'static str, message: impl Into<String>) {
        self.0.push(FieldError {
            path: path.to_owned(),
            code,
            message: message.into(),
        });
    }

    fn name(&mut self, path: &str, name: &Localized) {
        self.each(path, "name_localizations", name, |errors, path, text| {
            errors.length(path, text, limits::COMMAND_NAME_CHARS);
            if !text.chars().all(is_name_char) || text.to_lowercase() != text {
                let why = "must be of lower-case letters, digits, - and _";
                errors.note(path, "invalid_characters", why);
            }
        });
    }

    fn description(&mut self, path: &str, description: &Localized) {
        self.each(
            path,
            "description_localizations",
            description,
            |errors, path, text| errors.length(path, text, limits::COMMAND_DESCRIPTION_CHARS),
        );
    }

    /// Checks a text and all of its translations, which stand in a field beside it.
    fn each(
        &mut self,
        path: &str,
        beside: &str,
        text: &Localized,
        check: impl Fn(&mut Self, &str, &str),
    ) {
        check(self, path, &text.text);
        let stem = path.rsplit_once('.').map(|(stem, _)| format!("{stem}."));
        for (locale, translation) in text.translations.iter().flatten() {
            let path = format!("{}{beside}", stem.as_deref().unwrap_or(""));
            if LOCALES.contains(&locale.as_str()) {
                check(self, &format!("{path}.{locale}"), translation);
            } else {
                // What it says instead may be anything, and is not repeated.
                self.note(&path, "unknown_value", "must be by codes of languages");
            }
        }
    }

    fn length(&mut self, path: &str, text: &str, (min, max): (usize, usize)) {
        if !(min..=max).contains(&text.chars().count()) {
            let why = format!("must have {min} to {max} characters");
            self.note(path, "invalid_length", why);
        }
    }

    fn options(&mut self, path: &str, options: &[CommandOption], level: Level) {
        let max = limits::COMMAND_OPTIONS_MAX;
        if max < options.len() {
            let why = format!("must have at most {max} entries");
            return self.note(path, "too_many", why);
        }
        let branches = |option: &&CommandOption| option.kind.below().is_some();
        let is_mixed = options.iter().any(|option| !branches(&option));
        let mut is_optional = false;
        for (n, option) in options.iter().enumerate() {
            let at = |field: &str| format!("{path}.{n}.{field}");
            self.name(&at("name"), &option.name);
            self.description(&at("description"), &option.description);
            if options[..n]
                .iter()
                .any(|other| other.name.text == option.name.text)
            {
                self.note(&at("name"), "duplicate", "must not be used twice");
            }
            if option.required && is_optional {
                let why = "what is required comes before what is not";
                self.note(&at("required"), "out_of_order", why);
            }
            is_optional |= !option.required;
            self.kind(&format!("{path}.{n}"), &option.kind, (level, is_mixed));
        }
    }

    fn kind(&mut self, at: &str, kind: &OptionKind, (level, is_mixed): (Level, bool)) {
        let nested = match kind {
            OptionKind::Subcommand(_) => level != Level::Subcommand,
            OptionKind::Group(_) => level == Level::Command,
            _ => level != Level::Group,
        };
        if !nested || (kind.below().is_some() && is_mixed) {
            let why = "subcommands stand alone in a command, or in a group of one";
            self.note(&format!("{at}.type"), "not_here", why);
            return;
        }
        let below = format!("{at}.options");
        match kind {
            OptionKind::Subcommand(options) => self.options(&below, options, Level::Subcommand),
            OptionKind::Group(options) => self.options(&below, options, Level::Group),
            OptionKind::Text { choices, length } => {
                let chars = limits::COMMAND_CHOICE_CHARS;
                self.choices(at, choices, |errors, path, value| {
                    errors.length(path, value, chars);
                });
                self.range(at, ("min_length", "max_length"), *length);
                let max = limits::COMMAND_TEXT_CHARS_MAX;
                for (field, bound) in [("min_length", length.0), ("max_length", length.1)] {
                    if bound.is_some_and(|bound| max < usize::from(bound)) {
                        let why = format!("must be at most {max}");
                        self.note(&format!("{at}.{field}"), "too_large", why);
                    }
                }
            }
            OptionKind::Integer { choices, range } => {
                self.choices(at, choices, |_, _, _| {});
                self.range(at, ("min_value", "max_value"), *range);
            }
            OptionKind::Number { choices, range } => {
                self.choices(at, choices, |_, _, _| {});
                self.range(at, ("min_value", "max_value"), *range);
            }
            _ => {}
        }
    }

    fn choices<T>(&mut self, at: &str, choices: &Choices<T>, check: impl Fn(&mut Self, &str, &T)) {
        let choices = choices.listed();
        let max = limits::COMMAND_CHOICES_MAX;
        if max < choices.len() {
            let why = format!("must have at most {max} entries");
            return self.note(&format!("{at}.choices"), "too_many", why);
        }
        for (n, choice) in choices.iter().enumerate() {
            let name = format!("{at}.choices.{n}.name");
            self.each(
                &name,
                "name_localizations",
                &choice.name,
                |errors, path, text| {
                    errors.length(path, text, limits::COMMAND_CHOICE_CHARS);
                },
            );
            check(self, &format!("{at}.choices.{n}.value"), &choice.value);
        }
    }

    fn range<T: PartialOrd>(
        &mut self,
        at: &str,
        (_, largest): (&str, &str),
        (min, max): (Option<T>, Option<T>),
    ) {
        if min.zip(max).is_some_and(|(min, max)| max < min) {
            let why = "must not be smaller than the smallest";
            self.note(&format!("{at}.{largest}"), "out_of_order", why);
        }
    }
}

/// Letters and digits of any script, with the marks that Devanagari and Thai are written with.
fn is_name_char(c: char) -> bool {
    c.is_alphanumeric()
        || "-_'".contains(c)
        || matches!(c, '\u{0900}'..='\u{097F}' | '\u{0E00}'..='\u{0E7F}')
}

/// The characters of the longest form of a text.
fn size(text: &Localized) -> usize {
    let translations = text.translations.iter().flat_map(|all| all.values());
    let all = translations.chain([&text.text]);
    all.map(|text| text.chars().count()).max().unwrap_or(0)
}

fn options_size(options: &[CommandOption]) -> usize {
    let one = |option: &CommandOption| {
        let named = size(&option.name) + size(&option.description);
        let within = match &option.kind {
            OptionKind::Subcommand(options) | OptionKind::Group(options) => options_size(options),
            OptionKind::Text { choices, .. } => {
                let choices = choices.listed().iter();
                choices
                    .map(|one| size(&one.name) + one.value.chars().count())
                    .sum()
            }
            OptionKind::Integer { choices, .. } => {
                choices.listed().iter().map(|one| size(&one.name)).sum()
            }
            OptionKind::Number { choices, .. } => {
                choices.listed().iter().map(|one| size(&one.name)).sum()
            }
            _ => 0,
        };
        named + within
    };
    options.iter().map(one).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(name: &str, kind: OptionKind, required: bool) -> CommandOption {
        CommandOption {
            name: Localized::plain(name),
            description: Localized::plain("what it is for"),
            kind,
            required,
        }
    }

    fn command(name: &str, options: Vec<CommandOption>) -> CommandDefinition {
        CommandDefinition {
            name: Localized::plain(name),
            description: Localized::plain("does something"),
            options,
            default_member_permissions: None,
            contexts: None,
            nsfw: false,
        }
    }

    fn paths(definition: &CommandDefinition) -> Vec<String> {
        check(definition)
            .into_iter()
            .map(|error| error.path)
            .collect()
    }

    #[test]
    fn a_name_is_of_lower_case_letters_of_any_script() {
        for good in ["echo", "wetter-morgen_2", "天気", "มา", "हिन्दी", "x'y"] {
            assert!(paths(&command(good, Vec::new())).is_empty(), "{good}");
        }
        for bad in ["", "Echo", "two words", "a/b", "ÄRGER", "🦊"] {
            assert_eq!(paths(&command(bad, Vec::new()))[0], "name", "{bad}");
        }
        assert_eq!(paths(&command(&"x".repeat(33), Vec::new())), ["name"]);
    }

    #[test]
    fn what_is_required_comes_first_and_names_differ() {
        let options = vec![
            option("a", OptionKind::Boolean, false),
            option("b", OptionKind::User, true),
            option("a", OptionKind::Role, false),
        ];
        let found = paths(&command("x", options));
        assert_eq!(found, ["options.1.required", "options.2.name"]);
    }

    #[test]
    fn subcommands_nest_twice_and_do_not_mix() {
        let leaf = option("leaf", OptionKind::Subcommand(vec![]), false);
        let group = |within| option("group", OptionKind::Group(within), false);
        let good = vec![
            group(vec![leaf.clone()]),
            option(
                "b",
                OptionKind::Subcommand(vec![option("x", OptionKind::Boolean, true)]),
                false,
            ),
        ];
        assert!(paths(&command("x", good)).is_empty());
        let nested = vec![group(vec![group(vec![leaf.clone()])])];
        assert_eq!(paths(&command("x", nested)), ["options.0.options.0.type"]);
        let mixed = vec![leaf, option("b", OptionKind::Boolean, false)];
        assert_eq!(paths(&command("x", mixed)), ["options.0.type"]);
        let bare = vec![group(vec![option("b", OptionKind::Boolean, false)])];
        assert_eq!(paths(&command("x", bare)), ["options.0.options.0.type"]);
    }

    #[test]
    fn counts_ranges_and_translations_are_bound() {
        let many: Vec<_> = (0..26)
            .map(|n| option(&format!("o{n}"), OptionKind::Boolean, false))
            .collect();
        assert_eq!(paths(&command("x", many)), ["options"]);
        let choices = (0..26).map(|value| super::super::Choice {
            name: Localized::plain("one"),
            value,
        });
        let integer = OptionKind::Integer {
            choices: Choices::Among(choices.collect()),
            range: (Some(2), Some(1)),
        };
        let found = paths(&command("x", vec![option("n", integer, false)]));
        assert_eq!(found, ["options.0.choices", "options.0.max_value"]);
        let mut translated = command("x", Vec::new());
        let words = [("de", "GROSS"), ("xx", "x")];
        let words = words.map(|(locale, word)| (locale.to_owned(), word.to_owned()));
        translated.name.translations = Some(words.into());
        let found = paths(&translated);
        assert_eq!(found, ["name_localizations.de", "name_localizations"]);
    }

    #[test]
    fn a_command_is_bound_as_a_whole() {
        let text = |n: usize| {
            let mut option = option(&format!("o{n}"), OptionKind::Boolean, false);
            option.description = Localized::plain(&"d".repeat(100));
            option
        };
        let subcommand = |n: usize| {
            option(
                &format!("s{n}"),
                OptionKind::Subcommand((0..25).map(text).collect()),
                false,
            )
        };
        assert_eq!(paths(&command("x", (0..4).map(subcommand).collect())), [""]);
        assert!(paths(&command("x", (0..3).map(subcommand).collect())).is_empty());
    }
}
