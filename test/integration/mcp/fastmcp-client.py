"""Lists the tools of an MCP server, and calls one: `fastmcp-client.py TOOL ARGUMENTS` with the server in the environment.

With LICTOR_MCP_URL over HTTP; without, Prefect's own server on standard input and output, with this environment.
Over HTTP with LICTOR_MCP_TOKEN, or with a login in the browser as the OAuth client LICTOR_MCP_CLIENT.
"""

import asyncio
import json
import os
import sys

from fastmcp import Client
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport


def transport():
    url = os.environ.get("LICTOR_MCP_URL")
    if url is None:
        server = os.path.join(os.path.dirname(sys.executable), "prefect-mcp-server")
        return StdioTransport(command=server, args=[], env=dict(os.environ))
    client_id = os.environ.get("LICTOR_MCP_CLIENT")
    if client_id is not None:
        return StreamableHttpTransport(url, auth=OAuth(client_id=client_id))
    token = os.environ["LICTOR_MCP_TOKEN"]
    return StreamableHttpTransport(url, headers={"Authorization": f"Bearer {token}"})


async def main() -> None:
    name, arguments = sys.argv[1], json.loads(sys.argv[2])
    async with Client(transport()) as client:
        tools = sorted(tool.name for tool in await client.list_tools())
        result = await client.call_tool(name, arguments, raise_on_error=False)
        print(
            json.dumps(
                {
                    "tools": tools,
                    "isError": result.is_error,
                    "result": result.structured_content,
                }
            )
        )


asyncio.run(main())
