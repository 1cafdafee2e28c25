// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/intake"
)

func (r mutation) SubmitApplication(ctx context.Context, in model.SubmitApplicationInput) (*answer.Payload, error) {
	ids, err := uploads(in.UploadIds)
	if err != nil {
		return refused(err)
	}
	id, err := r.Intake.Submit(ctx, intake.Application{
		ServiceKey: in.ServiceKey, RegionalKey: in.RegionalKey, TransactionID: in.TransactionID,
		Applicant: intake.Person{Kind: string(in.Applicant.Kind), Name: in.Applicant.Name, PostalAddress: text(in.Applicant.PostalAddress)},
		Form:      form(in.FormData), Uploads: ids,
	})
	return r.changed(casework.Changed{Case: id, Revision: 1}, err)
}

func form(items []model.FormFieldInput) []schema.FormItem {
	out := make([]schema.FormItem, len(items))
	for i, f := range items {
		out[i] = schema.FormItem{
			Name: f.Name, Label: text(f.Label), String: f.StringValue, Number: f.NumberValue, Date: f.DateValue, Boolean: f.BooleanValue, Items: form(f.FormItems),
		}
	}
	return out
}
