-- :SecureTorch and the report buffers. Nothing here starts the server: setup() or vim.lsp.enable() does.
if vim.g.loaded_secure_torch then
  return
end
vim.g.loaded_secure_torch = true

vim.api.nvim_create_user_command("SecureTorch", function(call)
  require("secure_torch.commands").run(call.fargs)
end, {
  nargs = "+",
  desc = "secure-torch: scan, report, inspect, convert, doctor, restart",
  complete = function(lead, line)
    return require("secure_torch.commands").complete(lead, line)
  end,
})

vim.api.nvim_create_autocmd("BufReadCmd", {
  group = vim.api.nvim_create_augroup("secure_torch_report", { clear = true }),
  pattern = { "secure-torch-report:/*", "*/secure-torch-report:/*" }, -- 0.7 puts the current folder before it
  desc = "a model's report, from the server",
  callback = function(event)
    require("secure_torch.report").read(event.buf, event.match)
  end,
})

-- What the server's actions and lenses call is done here, where the windows are.
vim.lsp.commands["secure-torch.showReport"] = function(command)
  require("secure_torch.report").open((command.arguments or {})[1])
end
