// SPDX-License-Identifier: EUPL-1.2

package main

import "maps"

// The things that the suite looks for.
var (
	jane = map[string]any{"email": "support@apollographql.com", "name": "Jane Smith", "totalProductsCreated": 1337, "yearsOfEmployment": 10}
	size = map[string]any{"size": "small", "weight": 1, "unit": "kg"}

	research = []any{study("1234", "Federation Study"), study("1235", "Studio Study")}

	products = []any{
		map[string]any{
			"id": "apollo-federation", "sku": "federation", "package": "@apollo/federation", "variation": map[string]any{"id": "OSS"},
			"dimensions": size, "createdBy": jane, "research": research[:1],
		},
		map[string]any{
			"id": "apollo-studio", "sku": "studio", "package": "", "variation": map[string]any{"id": "platform"},
			"dimensions": size, "createdBy": jane, "research": research[1:],
		},
	}
	deprecated = []any{
		map[string]any{"sku": "apollo-federation-v1", "package": "@apollo/federation-v1", "reason": "Migrate to Federation V2", "createdBy": jane},
	}
)

func study(number, description string) map[string]any {
	return map[string]any{"study": map[string]any{"caseNumber": number, "description": description}, "outcome": nil}
}

// things are those of a type.
func things(typ string) (out []map[string]any) {
	all := map[string][]any{
		"Product": products, "DeprecatedProduct": deprecated, "ProductResearch": research, "User": {jane},
		"Inventory": {map[string]any{"id": "apollo-oss", "deprecatedProducts": deprecated}},
	}[typ]
	for _, t := range all {
		if m, ok := t.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// known is a thing with what a gateway has told of it, and what follows from that.
func known(typ string, thing, told map[string]any) map[string]any {
	out := maps.Clone(thing)
	out["__typename"] = typ
	created, hasCreated := told["totalProductsCreated"].(float64)
	years, hasYears := told["yearsOfEmployment"].(float64)
	if hasCreated && hasYears && years > 0 {
		out["averageProductsCreatedPerYear"] = int(created / years)
	}
	return out
}

// first finds the thing that has a value.
func first(all []any, field string, args map[string]any) map[string]any {
	for _, t := range all {
		if m, ok := t.(map[string]any); ok && m[field] == args[field] {
			return m
		}
	}
	return nil
}
