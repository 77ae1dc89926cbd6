//! Starts secure-torch's language server in Zed.

use zed_extension_api::{self as zed, Command, LanguageServerId, Result, Worktree};

struct SecureTorch;

impl zed::Extension for SecureTorch {
    fn new() -> Self {
        Self
    }

    /// The program in PATH. None is fetched, and none is taken from the settings: a folder has settings of its own, which
    /// could name a program that lies in it.
    fn language_server_command(&mut self, _: &LanguageServerId, worktree: &Worktree) -> Result<Command> {
        let command = worktree
            .which("secure-torch")
            .ok_or("secure-torch is not in PATH: `pip install .` in a clone")?;
        Ok(Command {
            command,
            args: vec!["lsp".into()],
            env: worktree.shell_env(),
        })
    }
}

zed::register_extension!(SecureTorch);
