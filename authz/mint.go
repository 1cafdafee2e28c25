// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"time"
)

// Mint issues tokens with a key of its own: in development, and in tests.
type Mint struct {
	signer *signer
	issuer Issuer
	clock  func() time.Time
}

// OpenMint reads the private key from a file, or makes it there, readable for its owner alone, when there is none.
func OpenMint(file string, issuer Issuer, clock func() time.Time) (*Mint, error) {
	raw, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m, err := NewMint(issuer, clock)
		if err != nil {
			return nil, err
		}
		if raw, err = m.signer.marshal(); err != nil {
			return nil, fmt.Errorf("authz: keeping the key: %w", err)
		}
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			return nil, fmt.Errorf("authz: keeping the key: %w", err)
		}
		return m, nil
	case err != nil:
		return nil, fmt.Errorf("authz: reading the key: %w", err)
	}
	s, err := parseSigner(raw)
	if err != nil {
		return nil, err
	}
	return minted(s, issuer, clock)
}

// NewMint makes a mint with a new key.
func NewMint(issuer Issuer, clock func() time.Time) (*Mint, error) {
	s, err := newSigner()
	if err != nil {
		return nil, err
	}
	return minted(s, issuer, clock)
}

func minted(s *signer, issuer Issuer, clock func() time.Time) (*Mint, error) {
	keys, err := s.public()
	if err != nil {
		return nil, err
	}
	issuer.Keys, issuer.KeysURL = keys, ""
	return &Mint{s, issuer, clock}, nil
}

// Issuer is the configuration that accepts the mint's tokens.
func (m *Mint) Issuer() Issuer { return m.issuer }

// Token signs a token for a subject with further claims; a claim given replaces the mint's own.
func (m *Mint) Token(subject string, claims map[string]any, life time.Duration) (string, error) {
	now := m.clock()
	all := map[string]any{
		"iss": m.issuer.URL, "aud": m.issuer.Audience, m.issuer.ClaimNames.Subject: subject,
		"iat": now.Unix(), "exp": now.Add(life).Unix(),
	}
	maps.Copy(all, claims)
	payload, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("authz: writing a token: %w", err)
	}
	return m.signer.sign(payload, m.issuer.TokenType)
}
