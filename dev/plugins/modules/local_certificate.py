# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.dev.local_certificate; the work is done by the action plugin of that name."""

DOCUMENTATION = r"""
module: local_certificate
short_description: Create a certificate for a host that the development machine stands in for
version_added: 0.1.0
description:
  - Writes a certificate, its private key and the certificate of the authority that issued it. The authority is made for
    this one certificate, and its private key is never written. So nobody can issue another certificate that its clients
    trust.
  - Existing files are kept. They are written again if one is missing, if they do not match the host or each other, if
    others may read the private key, or if the certificate ends within 30 days. The certificate is valid for a year.
options:
  host:
    description: The name that clients ask for, a DNS name in lower-case letters, of 64 characters at most.
    type: str
    required: true
  directory:
    description:
      - Where the files are, all in PEM. C(tls.crt) is the certificate, C(tls.key) its private key (mode 0600),
        C(ca.crt) the authority's certificate.
    type: path
    required: true
extends_documentation_fragment:
  - agentsmith.platform.control_node
attributes:
  check_mode:
    description: Tells whether it would write the files.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Have a certificate for the stand-in Slack
  agentsmith.dev.local_certificate:
    host: slack.com
    directory: .local/slack.com
"""

RETURN = r"""
reason:
  description: Why the files were written; empty if they were kept.
  type: str
  returned: success
"""
