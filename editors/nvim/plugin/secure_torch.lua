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
vim.lsp.commands["secure-torch.ignore"] = function(command, context)
  vim.ui.input({ prompt = "Why is this all right? " }, function(reason)
    if reason and reason:match("%S") then
      local arguments = { vim.tbl_extend("force", command.arguments[1], { reason = reason }) }
      local from = vim.lsp.get_client_by_id(context.client_id)
      local params = { command = command.command, arguments = arguments }
      require("secure_torch.client").request(from, "workspace/executeCommand", params, function(_, problem)
        if problem then
          vim.notify("secure-torch: " .. problem, vim.log.levels.ERROR)
        end
      end)
    end
  end)
end
