// The definitions of the Gateway API and of cert-manager, which are YAML files in their modules. No code of them is used.
module agentsmith.platform/definitions

go 1.25.0

require (
	github.com/cert-manager/cert-manager v1.20.0
	sigs.k8s.io/gateway-api v1.5.1
)
