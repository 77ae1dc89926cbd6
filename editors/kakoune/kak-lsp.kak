# For kak-lsp 18 and later, in kakrc, after `eval %sh{kak-lsp}`. Other servers may stand beside this one.
hook -group secure-torch global BufSetOption filetype=python %{
    set-option -add buffer lsp_servers %{
        [secure-torch]
        command = "secure-torch"
        args = ["lsp"]
        root_globs = ["secure-torch.toml", "pyproject.toml", ".git"]
    }
}
