# For jupyterlab-lsp, in a folder of `jupyter --paths`. A notebook is sent as one document: what is found in a cell is
# underlined in that cell.
c.LanguageServerManager.language_servers = {
    "secure-torch": {
        "version": 2,
        "argv": ["secure-torch", "lsp"],
        "languages": ["python"],
        "mime_types": ["text/x-python", "text/x-ipython"],
        "display_name": "secure-torch",
        # Else a notebook has another folder's name, .virtual_documents, and its models are not found.
        "requires_documents_on_disk": False,
    }
}
