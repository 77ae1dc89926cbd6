# In kakrc. kakoune-lsp starts its own choice for Python, pylsp, only where nothing else is set: to keep it, add it here too.
eval %sh{kak-lsp}
hook -group secure-torch global BufSetOption filetype=python %{
    set-option -add buffer lsp_servers %{
        [secure-torch]
        command = "secure-torch"
        args = ["lsp"]
        root_globs = ["secure-torch.toml", "pyproject.toml", ".git"]
    }
}
lsp-enable
