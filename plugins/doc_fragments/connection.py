# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of this collection that talk to a cluster have in common."""


class ModuleDocFragment:
    """The connection to a cluster: options and environment variables are named as those of kubernetes.core.

    They are documented here, as Galaxy shows the pages of a collection without those that it depends on.
    """

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path to a kubeconfig, or several with C(:) between them, or its content as a dictionary.
      - The environment variable is E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description:
      - Name of a context in the kubeconfig. Without it, the current context is used.
      - The environment variable is E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - URL of the API server. With credentials in the options or in E(K8S_AUTH_*), no kubeconfig is read. Otherwise it
        replaces the server of the context.
      - The environment variable is E(K8S_AUTH_HOST).
    type: str
  api_key:
    description:
      - Bearer token.
      - The environment variable is E(K8S_AUTH_API_KEY).
    type: str
  username:
    description:
      - User for HTTP basic authentication, which Kubernetes itself no longer has. A proxy before the API server may.
      - The environment variable is E(K8S_AUTH_USERNAME).
    type: str
  password:
    description:
      - Password of O(username).
      - The environment variable is E(K8S_AUTH_PASSWORD).
    type: str
  client_cert:
    description:
      - Path to a client certificate.
      - The environment variable is E(K8S_AUTH_CLIENT_CERT) or E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path to the key of O(client_cert).
      - The environment variable is E(K8S_AUTH_CLIENT_KEY) or E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  ca_cert:
    description:
      - Path to the certificates of the authorities that may have issued the certificate of the API server.
      - The environment variable is E(K8S_AUTH_CA_CERT) or E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - Whether the certificate of the API server is verified. Without it, the kubeconfig decides.
      - The environment variable is E(K8S_AUTH_VALIDATE_CERTS) or E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - URL of a proxy to the API server. It comes before C(proxy-url) of the kubeconfig and before E(HTTPS_PROXY).
      - The environment variable is E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description:
      - Hosts, domains and networks that are reached without O(proxy), with commas between them.
      - The environment variable is E(K8S_AUTH_NO_PROXY).
    type: str
  proxy_headers:
    description: Headers for the proxy.
    type: dict
    suboptions:
      proxy_basic_auth:
        description:
          - User and password for the proxy, with C(:) between them.
          - The environment variable is E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH).
        type: str
      basic_auth:
        description:
          - User and password for the header C(authorization), with C(:) between them.
          - The environment variable is E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH).
        type: str
      user_agent:
        description:
          - The header C(user-agent).
          - The environment variable is E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
        type: str
  persist_config:
    description:
      - Has no effect. It is accepted because C(module_defaults) that you share with M(kubernetes.core.k8s) may contain
        it. The kubeconfig is never written.
    type: bool
  impersonate_user:
    description:
      - User to act as.
      - The environment variable is E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - Groups to act as.
      - The environment variable is E(K8S_AUTH_IMPERSONATE_GROUPS), with commas between the groups.
    type: list
    elements: str
  api_server:
    description:
      - URL of the API server that is meant, as C(kubectl config view --minify) shows it. A task fails before its first
        request if the other options lead to another server.
      - It protects from a context of the same name in another kubeconfig, and from a context that somebody changed.
    type: str
requirements:
  - kubernetes >= 35 (Python package)
notes:
  - Runs on the control node, in ansible-core's own process, whatever the connection of the host is. Files that the
    connection options name are files of the control node.
  - The options and their environment variables E(K8S_AUTH_*) have the names of those of M(kubernetes.core.k8s).
    C(environment:) of a play or task does not reach an action plugin, so the variables must be set where
    C(ansible-playbook) is started.
  - Set them once for a play with C(module_defaults) and the action group C(agentsmith.platform.cluster).
  - A kubeconfig is read as C(kubectl) reads it. Of several files in E(KUBECONFIG), the first current-context counts,
    and the first entry of each name. Relative paths, C(exec), C(tokenFile), C(tls-server-name) and C(proxy-url) mean
    what they mean there, and so do E(HTTPS_PROXY) and E(NO_PROXY). What cannot be used so is refused.
  - Without any connection option, E(KUBECONFIG) or C(~/.kube/config) is used. If neither exists, it is the
    ServiceAccount of the pod in which Ansible runs.
  - If O(kubeconfig) or O(context) is given, a variable E(K8S_AUTH_*) that would lead to another cluster or user is
    refused.
  - A proxy of the kind C(socks5) needs the Python package PySocks.
"""
