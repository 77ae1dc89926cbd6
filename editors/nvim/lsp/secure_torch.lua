-- For `vim.lsp.enable("secure_torch")`, Neovim 0.11 and later. Nothing is trusted this way; to trust
-- folders use require("secure_torch").setup({ trusted = { … } }).
return {
  cmd = (require("secure_torch").command()),
  filetypes = { "python" },
  root_markers = { "secure-torch.toml", "pyproject.toml", ".git" },
  init_options = { trusted = false },
}
