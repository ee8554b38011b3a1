//! Programs that are started for one piece of work.

use std::process::Stdio;

use tokio::process::Command;

/// Variables of the environment that begin so may be secret, and are no program's business.
const OWN_PREFIX: &str = "MIXMINUS__";

/// The program that the first of `words` names, with the others as its arguments, each filled in by `fill`. There is no
/// shell: each word is one argument, whatever it holds. What the program says on its standard error goes where our log
/// goes; it ends when its child is dropped.
///
/// # Panics
///
/// If there is no word.
pub fn program(words: &[String], fill: impl Fn(&str) -> String) -> Command {
    let (program, arguments) = words.split_first().expect("the configuration asks for one word or more");
    let mut command = Command::new(fill(program));
    command.args(arguments.iter().map(|argument| fill(argument)));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(OWN_PREFIX) {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    command
}
