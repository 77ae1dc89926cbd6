-- For lazy.nvim: a file in lua/plugins. The plugin is a folder of the repository; the program has to be in PATH.
return {
  "secure-torch/secure-torch",
  ft = "python",
  cmd = "SecureTorch",
  build = function(plugin)
    vim.cmd("helptags " .. vim.fn.fnameescape(plugin.dir .. "/editors/nvim/doc"))
  end,
  config = function(plugin)
    vim.opt.rtp:append(plugin.dir .. "/editors/nvim")
    vim.cmd("runtime plugin/secure_torch.lua")
    require("secure_torch").setup({})
  end,
}
