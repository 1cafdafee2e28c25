// SPDX-License-Identifier: EUPL-1.2

package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

// caller is who asks, as far as the token says: the places from lo to hi, which are one where somebody works in an authority.
type caller struct {
	Lo      int64  `json:"lo"`
	Hi      int64  `json:"hi"`
	Land    int16  `json:"land"`
	Subject string `json:"sub"`
	Until   int64  `json:"exp"`
}

// porter verifies tokens (RFC 7519, HS256), each once.
type porter struct {
	key   []byte
	known sync.Map // caller by token
}

var errToken = errors.New("limit: a token is missing or wrong")

func (p *porter) who(r *http.Request) (caller, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return caller{}, errToken
	}
	var c caller
	if known, ok := p.known.Load(token); ok {
		c = known.(caller) //nolint:forcetypeassert // nothing else is stored
	} else {
		last := strings.LastIndexByte(token, '.')
		signature, err := base64.RawURLEncoding.DecodeString(token[last+1:])
		if last < 0 || err != nil {
			return caller{}, errToken
		}
		sum := hmac.New(sha256.New, p.key)
		sum.Write([]byte(token[:last]))
		_, payload, _ := strings.Cut(token[:last], ".")
		claims, err := base64.RawURLEncoding.DecodeString(payload)
		if err != nil || !hmac.Equal(signature, sum.Sum(nil)) || json.Unmarshal(claims, &c) != nil {
			return caller{}, errToken
		}
		p.known.Store(token, c)
	}
	if time.Now().Unix() >= c.Until {
		return caller{}, errToken
	}
	return c, nil
}
