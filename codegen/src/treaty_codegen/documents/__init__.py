"""The catalogue as documents: pages in Markdown for people, AsyncAPI for other tools."""

from treaty_codegen.documents.asyncapi import emit_asyncapi as emit_asyncapi
from treaty_codegen.documents.examples import Examples as Examples
from treaty_codegen.documents.markdown import emit_markdown as emit_markdown
