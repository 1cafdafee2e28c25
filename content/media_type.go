// SPDX-License-Identifier: EUPL-1.2

package content

import (
	"fmt"
	"io"
	"mime"

	"github.com/gabriel-vasile/mimetype"

	"github.com/ozg-cloud/platform/internal/problem"
)

// accepted lists what people enclose with an application and offices send: documents, images, data, archives. Everything else is refused,
// above all programs, and HTML and SVG, which a browser would run.
// What a sender says about the type counts for nothing, nor does the ending of the name.
var accepted = map[string]bool{
	"application/pdf": true,

	"image/jpeg": true, "image/png": true, "image/gif": true, "image/webp": true, "image/tiff": true, "image/bmp": true,
	"image/heic": true, "image/heif": true, // photographs of telephones

	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   true,
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         true,
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": true,
	"application/vnd.oasis.opendocument.text":                                   true,
	"application/vnd.oasis.opendocument.spreadsheet":                            true,
	"application/vnd.oasis.opendocument.presentation":                           true,
	"application/msword":            true,
	"application/vnd.ms-excel":      true,
	"application/vnd.ms-powerpoint": true,
	"text/rtf":                      true,

	"text/plain": true, "text/csv": true, "text/tab-separated-values": true, "text/xml": true, "application/json": true,

	"application/zip": true,
}

// mediaType finds the type in the first bytes of the content; that of a text carries its charset.
func mediaType(r io.Reader) (string, error) {
	found, err := mimetype.DetectReader(r)
	if err != nil {
		return "", fmt.Errorf("content: looking for the media type: %w", err)
	}
	plain, _, err := mime.ParseMediaType(found.String())
	if err != nil || !accepted[plain] {
		return "", problem.New(problem.Invalid, "mediaType")
	}
	return found.String(), nil
}
