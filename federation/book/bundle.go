// SPDX-License-Identifier: EUPL-1.2

package book

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/ozg-cloud/platform/federation/charter"
)

// Path is where a house hands on what it knows of who belongs, below its endpoint. Everybody may read it: there are no secrets in it, and nobody
// has to be believed for it, since every paper is signed by whom it is about.
const Path = "/federation/v1/papers"

// mostBundle bounds the papers that are read at once. Sixteen members with a house each and ten charters have 300 kB.
const (
	mostBundle  = 16 << 20
	mostOfAKind = 2000
)

// Bundle is what one house hands on to another: charters in the order of their versions, lists of who is suspended, and what stands for each house.
type Bundle struct {
	Charters    []string `json:"charters"`
	Suspensions []string `json:"suspensions"`
	Houses      []Papers `json:"houses"`
}

// Papers are what stands for a house: two compact JWS.
type Papers struct {
	Voucher       string `json:"voucher"`
	Configuration string `json:"configuration"`
}

func (p Papers) signed() charter.Vouched {
	return charter.Vouched{Voucher: []byte(p.Voucher), Configuration: []byte(p.Configuration)}
}

// Fetch reads what the house at an endpoint hands on. Nothing of it has been checked yet.
func Fetch(ctx context.Context, client *http.Client, endpoint string) (Bundle, error) {
	var out Bundle
	asked, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+Path, nil)
	if err != nil {
		return out, fmt.Errorf("book: asking for papers: %w", err)
	}
	answer, err := client.Do(asked)
	if err != nil {
		return out, fmt.Errorf("book: asking for papers: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return out, fmt.Errorf("book: asking for papers: the status is %d", answer.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, mostBundle+1))
	if err != nil {
		return out, fmt.Errorf("book: reading papers: %w", err)
	}
	if len(text) > mostBundle || json.Unmarshal(text, &out) != nil {
		return Bundle{}, errors.New("book: what was handed on has not the form expected")
	}
	if max(len(out.Charters), len(out.Suspensions), len(out.Houses)) > mostOfAKind {
		return Bundle{}, errors.New("book: too many papers were handed on")
	}
	return out, nil
}
