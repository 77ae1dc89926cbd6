-- A model's report is a virtual document of the server's: secure-torch-report:PATH.md.
local client = require("secure_torch.client")
local M = {}

local SCHEME = "secure-torch-report:"

local function tell(text, level)
  vim.notify("secure-torch: " .. text, level or vim.log.levels.WARN)
end

--- Shows the report on a model. The server has one on each model that an open document loads.
function M.open(path)
  if not path then
    return tell("no model here")
  end
  local uri = SCHEME .. vim.uri_from_fname(path):gsub("^file://", "") .. ".md"
  local buffer = vim.fn.bufadd(uri)
  vim.cmd("sbuffer " .. buffer)
end

--- Fills a report's buffer with what the server says now.
function M.read(buffer, name)
  vim.bo[buffer].buftype = "nofile"
  vim.bo[buffer].bufhidden = "wipe"
  vim.bo[buffer].swapfile = false
  local from = client.all(buffer)[1]
  if not from then
    return tell("the server does not run")
  end
  local uri = name:sub((name:find(SCHEME, 1, true)))
  client.request(from, "workspace/textDocumentContent", { uri = uri }, function(result, problem)
    if not vim.api.nvim_buf_is_valid(buffer) then
      return
    end
    vim.bo[buffer].modifiable = true
    local text = result and result.text or ("No report: " .. problem)
    vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(text, "\n", { plain = true }))
    vim.bo[buffer].modifiable = false
    vim.bo[buffer].modified = false
    vim.bo[buffer].filetype = "markdown" -- last: an ftplugin of the user's may raise an error
  end)
end

--- Hands the models that the calls on a line load to done: what the server's lenses there say.
function M.models(buffer, line, done)
  local from = client.all(buffer)[1]
  if not from or not vim.lsp.buf_is_attached(buffer, from.id) then
    return done({})
  end
  local params = { textDocument = vim.lsp.util.make_text_document_params(buffer) }
  client.request(from, "textDocument/codeLens", params, function(lenses)
    local here, anywhere = {}, {}
    for _, lens in ipairs(lenses or {}) do
      local path = lens.command and lens.command.arguments and lens.command.arguments[1]
      if path then
        table.insert(anywhere, path)
        if lens.range.start.line <= line and line <= lens.range["end"].line then
          table.insert(here, path)
        end
      end
    end
    done(#here > 0 and here or anywhere)
  end)
end

--- Shows the report on the model of the call at the cursor, else on one that the user picks.
function M.at_cursor()
  local line = vim.api.nvim_win_get_cursor(0)[1] - 1
  M.models(vim.api.nvim_get_current_buf(), line, function(models)
    if #models == 0 then
      return tell("no model of this buffer has been scanned")
    elseif #models == 1 then
      return M.open(models[1])
    end
    vim.ui.select(models, { prompt = "Report on" }, function(path)
      if path then
        M.open(path)
      end
    end)
  end)
end

return M
