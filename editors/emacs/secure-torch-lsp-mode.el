;; For lsp-mode, which has several servers in a buffer: :add-on? keeps the other Python servers.
(require 'lsp-mode)
(lsp-register-client
 (make-lsp-client :new-connection (lsp-stdio-connection '("secure-torch" "lsp"))
                  :activation-fn (lsp-activate-on "python")
                  :server-id 'secure-torch
                  :add-on? t))
(add-hook 'python-mode-hook #'lsp-deferred)
