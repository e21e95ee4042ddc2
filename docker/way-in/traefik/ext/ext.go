// SPDX-License-Identifier: GPL-3.0-or-later

// Package ext stands in for a module that Traefik requires and the Go module proxy does not serve: its extensions of the dynamic
// configuration, of which there are none.
package ext

// HTTP adds nothing to the configuration of HTTP.
type HTTP struct{}

// Router adds nothing to a router.
type Router struct{}
