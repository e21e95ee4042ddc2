// SPDX-License-Identifier: GPL-3.0-or-later

// Package dns stands in for lego's DNS providers: it has none. ../compile puts it in their place.
package dns

import (
	"fmt"

	"github.com/go-acme/lego/v5/challenge"
)

// NewDNSChallengeProviderByName finds no provider.
func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, fmt.Errorf("this build has no DNS provider, so none named %q", name)
}
