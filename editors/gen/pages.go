package main

// page is that of one editor. Its settings are the text of a file, which the tests use too.
type page struct {
	name, title    string
	language, file string
	offers         string   // if not settings alone
	install        string   // beside secure-torch
	where          string   // the settings belong
	works          string   // what was seen, or what is to be expected
	tested         string   // with what, or that it was not
	trouble        []string // of this editor alone
}

const (
	untested = "Not run: no such editor in the test machine. `go test ./editors` parses the file, and sees that it names the server's command. "
	byHand   = " on 1 December 2026. No package registry has it, so no test starts it: `go test ./editors` only parses the file. Open, wait for the error, take the quick fix, save, compare the bytes on disk."
	expected = "Not seen in this editor. The server offers diagnostics, quick fixes, hover, code lenses, inlay hints, links and completion; the editor shows those that it asks for."
	fixes    = "The call is underlined, its message names the model and what it would run, and the quick fix changes what is saved."
	suite    = ": `make test-editors`. Open, wait for the error, take the quick fix, save, compare the bytes on disk."
)

var pages = []page{
	{
		name: "emacs-eglot", title: "Emacs with Eglot", language: "elisp", file: "emacs/secure-torch.el",
		install: "Eglot: part of Emacs 29 and later, a package (ELPA, or Debian's `elpa-eglot`) before that.",
		where:   "In `init.el`.", works: fixes, tested: "Emacs 28.2, Eglot 1.9" + suite,
		trouble: []string{"Another Python server starts instead: Eglot has one for each buffer, and takes the first entry of `eglot-server-programs`. Have this one last in `init.el`, or use [lsp-mode](emacs-lsp-mode.md).", "What was said is in `M-x eglot-events-buffer`. In `python-ts-mode` (Emacs 29 and later) write that mode's name, and its hook's, in place of `python-mode`."},
	},
	{
		name: "emacs-lsp-mode", title: "Emacs with lsp-mode", language: "elisp", file: "emacs/secure-torch-lsp-mode.el",
		install: "lsp-mode (MELPA, or Debian's `elpa-lsp-mode`).",
		where:   "In `init.el`.", works: fixes, tested: "Emacs 28.2, lsp-mode 8.0.0" + suite,
		trouble: []string{"lsp-mode 8 counts columns in characters, not in the protocol's units: behind an emoji on the same line it underlines a wrong place, whichever server speaks.", "`M-x lsp-describe-session` shows which servers run."},
	},
	{
		name: "vim-ale", title: "Vim with ALE", language: "vim", file: "vim/secure_torch.vim",
		install: "ALE 3.3 or later (a package of Vim, or Debian's `vim-ale`).",
		where:   "In `.vimrc`.", works: fixes, tested: "Vim 9.0, ALE 3.3.0" + suite,
		trouble: []string{"ALE 3.3 takes the protocol's columns for bytes: after letters outside of ASCII it underlines a wrong place, whichever server speaks.", "`:ALEInfo` shows which linters are on, and what they ran."},
	},
	{
		name: "vim-lsp", title: "Vim with vim-lsp", language: "vim", file: "vim/vim-lsp.vim",
		install: "vim-lsp (`prabirshrestha/vim-lsp`).",
		where:   "In `.vimrc`.", works: fixes, tested: "By hand, Vim 9.0 and vim-lsp of April 2026 (474c656)," + byHand,
		trouble: []string{"vim-lsp counts columns in characters, not in the protocol's units: behind an emoji on the same line it underlines a wrong place, whichever server speaks.", "`:LspStatus` shows whether the server runs, `:LspCodeAction` has the quick fixes."},
	},
	{
		name: "coc", title: "Vim or Neovim with coc.nvim", language: "json", file: "vim/coc-settings.json",
		install: "coc.nvim, which needs Node.",
		where:   "In `coc-settings.json`: `:CocConfig` opens it.", works: fixes, tested: "By hand, Vim 9.0 and coc.nvim of August 2026 (570b4ac)," + byHand,
		trouble: []string{"`:CocCommand workspace.showOutput` shows what the server wrote."},
	},
	{
		name: "neovim", title: "Neovim with lazy.nvim", language: "lua", file: "nvim/packaging/lazy.lua",
		install: "lazy.nvim, which needs a newer Neovim than the plugin itself (0.7). Without lazy.nvim see the [plugin's own page](../../editors/nvim/README.md).",
		where:   "Beside the other plugins of lazy.nvim.", works: fixes + " `:SecureTorch` scans, reports, inspects and converts.",
		tested:  "The plugin with Neovim 0.7.2, 0.10.4 and 0.12.4" + suite,
		trouble: []string{"`:checkhealth secure_torch` says what is missing.", "Mason needs a release, which there is not yet; `editors/nvim/packaging/mason.yaml` is the definition for its registry."},
	},
	{
		name: "helix", title: "Helix", language: "toml", file: "helix/languages.toml",
		install: "Nothing else.",
		where:   "In `languages.toml`. To see messages below the line, add to `config.toml`: `[editor.inline-diagnostics]`, `cursor-line = \"hint\"`.",
		works:   fixes, tested: "Helix 25.01.1" + suite,
		trouble: []string{"`hx --health python` shows which servers Helix would start, and whether it finds them."},
	},
	{
		name: "kakoune", title: "Kakoune with kak-lsp", language: "text", file: "kakoune/kak-lsp.kak",
		install: "kak-lsp 18 or later.",
		where:   "In `kakrc`.", works: fixes, tested: "By hand, Kakoune 2024.05.18 and kak-lsp 22.0.0, on 1 December 2026. No test starts it, for kak-lsp takes long to compile. Open, wait for the error, take the quick fix, save, compare the bytes on disk.",
		trouble: []string{"What kak-lsp and the server wrote is in the buffer `*debug*`."},
	},
	{
		name: "zed", title: "Zed", offers: "an extension, from a clone", language: "json", file: "zed/settings.json",
		install: "The extension in `editors/zed`: “Install Dev Extension” in the view of extensions, and pick that folder. Zed compiles it, which needs Rust with the target `wasm32-wasip2`. It is in no list of Zed's yet.",
		where:   "None are needed: the extension adds its server to Zed's own for Python. To have it in one order with others, in `settings.json`; `\"...\"` are the rest.",
		works:   expected + " The program is the one in PATH. None is taken from settings, which a folder may bring along.",
		tested:  "Not run in Zed: there is none in the test machine. `make test-zed` compiles the extension as Zed does, `go test ./editors` compares its manifest with the settings.",
		trouble: []string{"“secure-torch is not in PATH” in Zed's log: the extension looks where a shell in the project's folder would."},
	},
	{
		name: "sublime-text", title: "Sublime Text", language: "json", file: "sublime/LanguageServers.sublime-settings",
		install: "The package LSP, by Package Control.",
		where:   "In `LanguageServers.sublime-settings`: “Preferences: LSP Server Configurations” in the command palette opens it. LSP before 2.10 has no such file: there the same stands under `\"clients\"` in `LSP.sublime-settings`.",
		works:   expected, tested: untested + "File, keys and the commands named here were compared with the sources of LSP 2.13.",
		trouble: []string{"“LSP: Troubleshoot Server” in the command palette tries the server, “LSP: Toggle Log Panel” shows what was said."},
	},
	{
		name: "kate", title: "Kate", language: "json", file: "kate/lspclient.json",
		install: "Kate's own plugin LSP Client, switched on in Settings, Configure Kate, Plugins.",
		where:   "In Settings, Configure Kate, LSP Client, User Server Settings.", works: "The call is underlined, and the code actions change what is saved. Take one from LSP Client, Code Action: Kate's Quick Fix (Ctrl+.) takes all that are offered for a line at once, comments that silence it among them.",
		tested:  "By hand, Debian's Kate 22.12.3, on 1 December 2026. No test starts it: `go test ./editors` only parses the file. Open, see the error, take an action, save, compare the bytes on disk; the settings were the file `~/.config/kate/lspclient/settings.json`, which the dialog writes. The names in the dialog, and that Kate asks, are from the sources of 25.04's plugin.",
		trouble: []string{"It takes the place of Kate's own server for Python: Kate has one for each language.", "Kate asks once whether it may start the program, and remembers a no: LSP Client, Allowed & Blocked Servers."},
	},
	{
		name: "jetbrains", title: "JetBrains, with the plugin LSP4IJ", language: "json", file: "jetbrains/template.json",
		install: "The plugin LSP4IJ, from the marketplace. There is no plugin of our own with JetBrains' LSP API.",
		where:   "A folder with this file as `template.json` is a template that “New Language Server” can import; or type `secure-torch lsp` as the command there, and `*.py` (language id `python`) as the mapping.",
		works:   expected, tested: untested + "Its form was compared with the documentation of LSP4IJ of June 2026.",
		trouble: []string{"The tool window “Language Servers” shows whether it runs, and what was said."},
	},
	{
		name: "jupyterlab", title: "JupyterLab", language: "python", file: "jupyterlab/jupyter_server_config.py",
		install: "`jupyterlab-lsp` 5.3, by pip, where JupyterLab is.",
		where:   "In `jupyter_server_config.py`: `jupyter --paths` names the folders.",
		works:   "The call is underlined in a file and in a cell of a notebook, and hovering over it says why. jupyterlab-lsp 5.3 has no quick fixes.",
		tested:  "JupyterLab 4.6.6, jupyterlab-lsp 5.3.0 and Chromium: `make test-jupyterlab`.",
		trouble: []string{"The server's PATH is that of the shell that started JupyterLab; start it anew after the settings changed."},
	},
}

// common is what goes wrong in every editor.
var common = []string{
	"Nothing is underlined: `secure-torch check app.py` in a terminal says what there is to find in a file.",
	"The program is not found: an editor started from a desktop often has another PATH than the shell; write the whole path that `command -v secure-torch` prints.",
	"What the server did: have the editor start it as `secure-torch lsp --log-file lsp.log --log-level debug`.",
	"Models stay unread (`incomplete`): `secure-torch doctor` says whether the sandbox works on this machine.",
}
