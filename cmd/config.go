// SPDX-License-Identifier: EUPL-1.2

// Package cmd puts the house together: configuration, wiring, commands and shutdown.
// It is the only room that reads the environment, opens connections and starts what outlives a request; it decides nothing else.
package cmd

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/web"
)

// Config is everything that can be set, each by the environment variable named in its tag.
// An unknown variable that begins with OZG_ stops the start, as does a missing one that has no default.
type Config struct {
	// Listen is the address to serve on.
	Listen string `env:"OZG_LISTEN" default:"127.0.0.1:8080"`
	// Data is the folder of what this house keeps beside the database: blobs, and in development the database and the keys.
	Data string `env:"OZG_DATA" default:".ozg"`
	// DatabaseURL is the address of PostgreSQL: for serve the login of the role ozg_serving, for migrate and seed that of the owner.
	// In development it may be empty: then the house starts a cluster of its own.
	DatabaseURL Secret `env:"OZG_DATABASE_URL"`
	// WatchDatabaseURL is the address of PostgreSQL for a login that is a member of ozg_serving and ozg_watching. With it the house repeats some reads
	// without the second wall, in the background, and raises an alarm where the first has a hole. Empty: nobody watches.
	WatchDatabaseURL Secret `env:"OZG_WATCH_DATABASE_URL"`
	// WatchEvery is how many reads come to one that is repeated.
	WatchEvery int `env:"OZG_WATCH_EVERY" default:"1000"`
	// BlobsURL is where attachments are kept, in the notation of gocloud.dev/blob: file:///path or s3://bucket?region=...
	// Empty: a folder in Data.
	BlobsURL string `env:"OZG_BLOBS_URL"`
	// SecretKey seals cursors and links; the same on every replica, at least 32 bytes in base64.
	SecretKey Secret `env:"OZG_SECRET_KEY"`
	// IssuersFile names a JSON file with the issuers whose tokens are accepted, see deploy/issuers.example.json.
	IssuersFile string `env:"OZG_ISSUERS_FILE"`
	// MailboxesFile names a JSON file with the mailboxes elsewhere that messages are carried to, see deploy/mailboxes.example.json.
	// Empty: none, and messages to such mailboxes keep waiting.
	MailboxesFile string `env:"OZG_MAILBOXES_FILE"`
	// Federation is the folder with the place of this house in the federation, made by ozg federation init. Empty: it belongs to none.
	Federation string `env:"OZG_FEDERATION"`
	// WebhookNetworks are networks that webhooks may send to although they are not public, such as 10.20.0.0/16, separated by commas.
	WebhookNetworks []string `env:"OZG_WEBHOOK_NETWORKS"`
	// AllowedOrigins are the origins of browsers that may call, separated by commas.
	AllowedOrigins []string `env:"OZG_ALLOWED_ORIGINS"`
	// HTTPProfile is the edition of GraphQL over HTTP that is kept to: 2025, or draft-2026-08.
	HTTPProfile string `env:"OZG_HTTP_PROFILE" default:"2025"`
	// Documents says what is answered: only documents that were loaded for clients (trusted), or any (free). Empty: trusted in production, free in development.
	Documents string `env:"OZG_DOCUMENTS"`
	// DrainSeconds is how long a stopping house still answers while load balancers turn away from it.
	DrainSeconds int `env:"OZG_DRAIN_SECONDS" default:"2"`
	// MetricsListen is the address at which Prometheus finds /metrics, apart from that of the callers. Empty: nowhere.
	MetricsListen string `env:"OZG_METRICS_LISTEN" default:"127.0.0.1:9464"`
	// TracesURL is where traces are sent by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces. Empty: there are none.
	TracesURL string `env:"OZG_OTLP_ENDPOINT"`
	// TracePercent is how many traces of a hundred are recorded.
	TracePercent int `env:"OZG_TRACE_PERCENT" default:"5"`
	// SlowMilliseconds is how long an operation takes that gets a line of its own in the log; 0: none does.
	SlowMilliseconds int `env:"OZG_SLOW_MILLISECONDS" default:"1000"`
	// CallerBudget is the cost that one caller may ask for in a minute, at each replica.
	CallerBudget int `env:"OZG_CALLER_BUDGET" default:"200000"`
	// TenantBudget is the cost that all callers of a tenant may ask for in a minute, at each replica.
	TenantBudget int `env:"OZG_TENANT_BUDGET" default:"4000000"`
	// EventRetentionDays is how long what has happened can be read in the log of events; it is dropped by the week.
	EventRetentionDays int `env:"OZG_EVENT_RETENTION_DAYS" default:"30"`
	// UploadMegabytes bounds one upload.
	UploadMegabytes int `env:"OZG_UPLOAD_MEGABYTES" default:"20"`
}

// defaultData is the default of Config.Data.
const defaultData = ".ozg"

// Secret is a value that prints as dots.
type Secret string

// String hides the value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "••••"
}

// GoString hides the value from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the value from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// configOf reads the environment, given as NAME=value.
func configOf(environ []string) (Config, error) {
	given := map[string]string{}
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok && strings.HasPrefix(name, "OZG_") {
			given[name] = value
		}
	}
	var c Config
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		field, tag := v.Field(i), v.Type().Field(i).Tag
		name := tag.Get("env")
		value, ok := given[name]
		if !ok {
			value = tag.Get("default")
		}
		delete(given, name)
		switch field.Kind() {
		case reflect.String:
			field.SetString(value)
		case reflect.Int:
			n, err := strconv.Atoi(value)
			if err != nil {
				return Config{}, fmt.Errorf("%s is no whole number", name)
			}
			field.SetInt(int64(n))
		case reflect.Slice:
			if value != "" {
				field.Set(reflect.ValueOf(strings.Split(value, ",")))
			}
		default:
			return Config{}, fmt.Errorf("%s has a kind that cannot be read", name)
		}
	}
	if len(given) > 0 {
		var unknown []string
		for name := range given {
			unknown = append(unknown, name)
		}
		sort.Strings(unknown)
		return Config{}, fmt.Errorf("unknown configuration: %s", strings.Join(unknown, ", "))
	}
	return c, nil
}

// webhookNetworks reads the networks that are open to webhooks.
func (c Config) webhookNetworks() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range c.WebhookNetworks {
		p, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil || p != p.Masked() {
			return nil, errors.New("OZG_WEBHOOK_NETWORKS has something that is no network, such as 10.20.0.0/16")
		}
		out = append(out, p)
	}
	return out, nil
}

// Check says what a house in production lacks. What protects has no default.
func (c Config) Check() error {
	var missing []error
	if c.DatabaseURL == "" {
		missing = append(missing, errors.New("OZG_DATABASE_URL is missing: the login of the role ozg_serving"))
	}
	if c.IssuersFile == "" {
		missing = append(missing, errors.New("OZG_ISSUERS_FILE is missing: whose tokens are accepted"))
	}
	if key, err := c.secretKey(); err != nil {
		missing = append(missing, err)
	} else if len(key) < 32 {
		missing = append(missing, errors.New("OZG_SECRET_KEY is missing or shorter than 32 bytes"))
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		missing = append(missing, errors.New("OZG_LISTEN is no host:port"))
	}
	if _, err := c.webhookNetworks(); err != nil {
		missing = append(missing, err)
	}
	if _, err := c.profile(); err != nil {
		missing = append(missing, err)
	}
	if _, err := c.trustedOnly(true); err != nil {
		missing = append(missing, err)
	}
	if c.DrainSeconds < 0 || c.DrainSeconds > 60 {
		missing = append(missing, errors.New("OZG_DRAIN_SECONDS is not between 0 and 60"))
	}
	if _, _, err := net.SplitHostPort(c.MetricsListen); err != nil && c.MetricsListen != "" {
		missing = append(missing, errors.New("OZG_METRICS_LISTEN is no host:port"))
	}
	if u, err := url.Parse(c.TracesURL); c.TracesURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		missing = append(missing, errors.New("OZG_OTLP_ENDPOINT is no http or https URL"))
	}
	if c.TracePercent < 0 || c.TracePercent > 100 {
		missing = append(missing, errors.New("OZG_TRACE_PERCENT is not between 0 and 100"))
	}
	if c.SlowMilliseconds < 0 {
		missing = append(missing, errors.New("OZG_SLOW_MILLISECONDS is negative"))
	}
	if c.CallerBudget < 10_000 || c.TenantBudget < c.CallerBudget {
		missing = append(missing, errors.New("OZG_CALLER_BUDGET is less than 10000, the cost of the largest operation, or more than OZG_TENANT_BUDGET"))
	}
	if c.WatchEvery < 1 {
		missing = append(missing, errors.New("OZG_WATCH_EVERY is less than 1"))
	}
	if c.EventRetentionDays < 1 || c.EventRetentionDays > 3650 {
		missing = append(missing, errors.New("OZG_EVENT_RETENTION_DAYS is not between 1 and 3650"))
	}
	if c.UploadMegabytes < 1 || c.UploadMegabytes > 1000 {
		missing = append(missing, errors.New("OZG_UPLOAD_MEGABYTES is not between 1 and 1000"))
	}
	return errors.Join(missing...)
}

func (c Config) secretKey() ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(string(c.SecretKey))
	if err != nil {
		return nil, errors.New("OZG_SECRET_KEY is no base64")
	}
	return key, nil
}

func (c Config) blobs() string {
	if c.BlobsURL != "" {
		return c.BlobsURL
	}
	path, err := filepath.Abs(filepath.Join(c.Data, "blobs"))
	if err != nil {
		path = filepath.Join(c.Data, "blobs")
	}
	return "file://" + filepath.ToSlash(path)
}

func (c Config) profile() (web.Profile, error) {
	switch c.HTTPProfile {
	case "2025":
		return web.Watershed2025, nil
	case "draft-2026-08":
		return web.Draft202608, nil
	}
	return 0, errors.New("OZG_HTTP_PROFILE is neither 2025 nor draft-2026-08")
}

func (c Config) trustedOnly(usually bool) (bool, error) {
	switch c.Documents {
	case "":
		return usually, nil
	case "trusted":
		return true, nil
	case "free":
		return false, nil
	}
	return false, errors.New("OZG_DOCUMENTS is neither trusted nor free")
}

func (c Config) uploadBytes() int64 { return int64(c.UploadMegabytes) << 20 }

// observed lays what is seen of a house from outside, and how much may be asked of it.
func (c Config) observed(g Ground) Ground {
	g.CallerBudget, g.TenantBudget = c.CallerBudget, c.TenantBudget
	g.Slow = time.Duration(c.SlowMilliseconds) * time.Millisecond
	g.TracesURL, g.TracePercent = c.TracesURL, c.TracePercent
	return g
}

// seat is the place of this house in the federation; nil where it has none.
func (c Config) seat() (*Seat, error) {
	if c.Federation == "" {
		return nil, nil //nolint:nilnil // it belongs to none
	}
	return OpenSeat(c.Federation)
}

func (c Config) drain() time.Duration { return time.Duration(c.DrainSeconds) * time.Second }

// issuers reads the file of issuers. Unknown keys in it are refused.
func (c Config) issuers() ([]authz.Issuer, error) {
	f, err := os.Open(c.IssuersFile)
	if err != nil {
		return nil, fmt.Errorf("reading the issuers: %w", err)
	}
	defer f.Close()
	var issuers []authz.Issuer
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(&issuers); err != nil {
		return nil, fmt.Errorf("reading the issuers in %s: %w", c.IssuersFile, err)
	}
	return issuers, nil
}
