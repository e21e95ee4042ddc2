# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter `redis_configuration`: the address of Redis in the form that the app reads."""

DOCUMENTATION = r"""
name: redis_configuration
short_description: A URL of Redis as a configuration string of StackExchange.Redis
version_added: 1.0.0
author: Agent Smith platform maintainers (@agentsmith-platform)
description:
  - The app reads a configuration string of StackExchange.Redis and crashes on a URL. The filter converts
    V(redis://[user[:password]@]host:port), and V(rediss://…) for TLS, and percent-decodes user and password.
  - A configuration string stays as it is.
  - Fails, with the reason and without the value, if the value cannot be converted. That is a URL with a database path,
    a query, several hosts or no port; a comma in a password; and a string without an end point or with an unknown
    option.
options:
  _input:
    description: The URL or configuration string.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the form that the app reads
  ansible.builtin.debug:
    msg: "{{ 'rediss://smith:p%40ss@cache.example.com:6380' | agentsmith.platform.redis_configuration }}"
  # cache.example.com:6380,user=smith,password=p@ss,ssl=true,abortConnect=false
"""

RETURN = r"""
_value:
  description: The configuration string.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils.secrets.redis_configuration import RedisConfigurationError, configuration_of


def redis_configuration(value: Any) -> str:
    """Convert one value; see DOCUMENTATION."""
    if not isinstance(value, str):
        raise AnsibleFilterError(
            "agentsmith.platform.redis_configuration: the value is not a string. Put it in quotes."
        )
    try:
        return configuration_of(value)
    except RedisConfigurationError as error:
        raise AnsibleFilterError(f"agentsmith.platform.redis_configuration: the value {error}.") from None


class FilterModule:
    """The filter plugin that Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by name."""
        return {"redis_configuration": redis_configuration}
