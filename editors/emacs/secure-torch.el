;; Eglot speaks to one server in a buffer. With another Python server beside this one use lsp-mode, which has
;; several; or start this one where it matters, by M-x eglot.
(require 'eglot)
(add-to-list 'eglot-server-programs '(python-mode . ("secure-torch" "lsp")))
(add-hook 'python-mode-hook #'eglot-ensure)
