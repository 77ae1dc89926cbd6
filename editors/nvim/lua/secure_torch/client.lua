-- The clients of the server that run now.
local M = {}

--- The running clients, those of a buffer first.
function M.all(buffer)
  local get = vim.lsp.get_clients or vim.lsp.get_active_clients
  local found = vim.tbl_filter(function(client)
    return client.name == "secure_torch"
  end, get())
  table.sort(found, function(a, b)
    local here = (vim.lsp.buf_is_attached(buffer or 0, a.id) and 1 or 0) - (vim.lsp.buf_is_attached(buffer or 0, b.id) and 1 or 0)
    return here > 0 or here == 0 and a.id < b.id
  end)
  return found
end

--- Sends a request to a client and hands the answer, or nil and an error's text, to done.
function M.request(client, method, params, done)
  local function answered(err, result)
    done(result, err and (err.message or tostring(err)))
  end
  if vim.fn.has("nvim-0.11") == 1 then
    return client:request(method, params, answered, 0)
  end
  return client.request(method, params, answered, 0)
end

--- Ends the running clients and waits for that, for at most two seconds.
function M.stop_all()
  for _, running in ipairs(M.all()) do
    if vim.fn.has("nvim-0.11") == 1 then
      running:stop()
    else
      vim.lsp.stop_client(running.id)
    end
  end
  vim.wait(2000, function()
    return #M.all() == 0
  end, 20)
end

return M
