"""The server before a client that nobody here wrote: pytest-lsp with the capabilities it recorded of real editors.

Run by conformance_test.go, or: SERVER=bin/secure-torch pytest lsp/conformance
"""

import os
import pathlib

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

SOURCE = 'import torch\n\nname = "\U0001f680"; model = torch.load("evil.pt")\n'


@pytest_lsp.fixture(
    config=ClientServerConfig(server_command=[os.environ["SERVER"], "lsp"]),
    params=["neovim", "visual_studio_code", "emacs"],
)
async def client(request, lsp_client: LanguageClient, tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "evil.pt").write_bytes(b"cposix\nsystem\n(S'echo pwned'\ntR.")
    lsp_client.folder = folder

    @lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)  # recorded as supported, not implemented by pytest-lsp
    def register(params: types.RegistrationParams):
        assert all(r.id and r.method for r in params.registrations)

    for refresh in (types.WORKSPACE_CODE_LENS_REFRESH, types.WORKSPACE_INLAY_HINT_REFRESH):
        lsp_client.feature(refresh)(lambda *_: None)

    lsp_client.initialized = await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities(request.param),
            workspace_folders=[types.WorkspaceFolder(uri=folder.as_uri(), name="workspace")],
        )
    )
    yield
    await lsp_client.shutdown_session()


def inside(client: LanguageClient, r: types.Range) -> bool:
    """Whether a range lies in the document, counted in the units that were agreed upon."""
    lines = SOURCE.split("\n")
    unit, width = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[
        client.initialized.capabilities.position_encoding or "utf-16"
    ]
    return all(0 <= p.line < len(lines) and p.character <= len(lines[p.line].encode(unit)) // width for p in (r.start, r.end))


async def diagnostics(client: LanguageClient, uri: str) -> list[types.Diagnostic]:
    """What the client would show, whether it pulls or is sent it."""
    if client.initialized.capabilities.diagnostic_provider:
        report = await client.text_document_diagnostic_async(
            types.DocumentDiagnosticParams(text_document=types.TextDocumentIdentifier(uri=uri))
        )
        return list(report.items)
    while not any(d.code == "ST201" for d in client.diagnostics.get(uri, [])):
        await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    return list(client.diagnostics[uri])


@pytest.mark.asyncio
async def test_session(client: LanguageClient):
    uri = pathlib.Path(client.folder, "a.py").as_uri()
    document = types.TextDocumentIdentifier(uri=uri)
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri=uri, language_id="python", version=1, text=SOURCE))
    )
    found = await diagnostics(client, uri)
    assert found and all(inside(client, d.range) and d.source == "secure-torch" for d in found)

    place = types.Position(line=2, character=30)
    hover = await client.text_document_hover_async(types.HoverParams(text_document=document, position=place))
    assert hover is not None and "evil.pt" in hover.contents.value and inside(client, hover.range)

    actions = await client.text_document_code_action_async(
        types.CodeActionParams(
            text_document=document,
            range=types.Range(place, place),
            context=types.CodeActionContext(diagnostics=found),
        )
    )
    fix = next(a for a in actions if "st.load" in a.title)
    if fix.edit is None:
        fix = await client.code_action_resolve_async(fix)
    assert fix.edit is not None and (fix.edit.changes or fix.edit.document_changes)

    lenses = await client.text_document_code_lens_async(types.CodeLensParams(text_document=document))
    assert len(lenses) == 1 and inside(client, lenses[0].range) and lenses[0].command
    hints = await client.text_document_inlay_hint_async(
        types.InlayHintParams(text_document=document, range=types.Range(types.Position(0, 0), types.Position(3, 0)))
    )
    assert not hints  # off until asked for
    links = await client.text_document_document_link_async(types.DocumentLinkParams(text_document=document))
    assert all(inside(client, link.range) for link in links)
    items = await client.text_document_completion_async(types.CompletionParams(text_document=document, position=place))
    assert not items.items

    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            text_document=types.VersionedTextDocumentIdentifier(uri=uri, version=2),
            content_changes=[types.TextDocumentContentChangeWholeDocument(text="import torch\n")],
        )
    )
    lenses = await client.text_document_code_lens_async(types.CodeLensParams(text_document=document))
    assert not lenses
    client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=document))
