"""The tools of an agent: bash, read, search, edit, write, verify, spec, ask."""

from omni.agents.tools.tool import Tool, ToolResult
from omni.agents.tools.toolbox import TOOLS, Toolbox
from omni.agents.workspace import Refused

__all__ = ["TOOLS", "Refused", "Tool", "ToolResult", "Toolbox"]
