# In kakrc. kak-lsp starts its own choice for Python, pylsp, only where nothing else is set: other servers stand here too.
eval %sh{kak-lsp}
hook -group secure-torch global BufSetOption filetype=python %{
    set-option buffer lsp_servers %{
        [secure-torch]
        command = "secure-torch"
        args = ["lsp"]
        root_globs = ["secure-torch.toml", "pyproject.toml", ".git"]
    }
}
lsp-enable
