// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/charter"
)

// registry is what whoever works at the console with the papers of the federation has at hand.
type registry struct {
	c     console
	seat  *Seat
	book  *book.Book
	asked *book.Asked
	now   time.Time
}

// federate carries out the verbs on the papers of the federation. Nothing that one member does here alone changes who belongs.
func federate(ctx context.Context, c console, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	if c.config.Federation == "" {
		return errors.New("OZG_FEDERATION is missing: the folder with the place of this house in the federation")
	}
	f := flags("federation")
	verb := args[0]
	do, ok := map[string]func(f *flag.FlagSet) func(ctx context.Context, r registry, args []string) error{
		"init": initSeat, "join": join, "sign": countersign, "verify": verify, "adopt": adopt, "rotate": rotate, "suspend": suspend, "vouch": vouch, "show": show,
		"log": checkLog, "heads": heads, "forget": forget,
	}[verb]
	if !ok {
		return errUsage
	}
	run := do(f)
	if err := f.Parse(args[1:]); err != nil {
		return errUsage
	}
	r := registry{c: c, now: time.Now()}
	if verb == "init" {
		return run(ctx, r, f.Args())
	}
	var err error
	if r.seat, err = OpenSeat(c.config.Federation); err != nil {
		return err
	}
	if slices.Contains([]string{"sign", "vouch"}, verb) {
		return run(ctx, r, f.Args()) // these need no database: keys of members lie where there is none
	}
	return operate(ctx, c, func(ctx context.Context, o operator) error {
		r.book = book.New(o.store.Writing, r.seat.Pin, time.Now)
		r.asked = book.NewAsked(o.store.Writing, time.Now)
		if err := r.book.Refresh(ctx); err != nil {
			return err
		}
		return run(ctx, r, f.Args())
	})
}

func initSeat(f *flag.FlagSet) func(ctx context.Context, r registry, args []string) error {
	var s Seat
	f.StringVar(&s.Federation, "federation", "", "URL of all together")
	f.StringVar((*string)(&s.Member), "member", "", "URL of the member")
	f.StringVar(&s.Name, "name", "", "name of the member")
	f.StringVar((*string)(&s.Instance), "instance", "", "URL of this house, below that of the member; otherwise that and /ozg")
	f.StringVar(&s.Endpoint, "endpoint", "", "where this house answers others; otherwise at its URL")
	f.StringVar(&s.Region, "region", "", "beginning of the regional keys that it speaks for")
	f.StringVar(&s.Land, "land", "", "slug of the tenant that it speaks for")
	share := f.Float64("share", 0, "share of the member in what is paid for together, from 0 to 1")
	return func(_ context.Context, r registry, args []string) error {
		if len(args) > 0 || s.Federation == "" || s.Member == "" || s.Name == "" {
			return errUsage
		}
		if s.Instance == "" {
			s.Instance = charter.InstanceID(s.Member + "/ozg")
		}
		if s.Endpoint == "" {
			s.Endpoint = string(s.Instance)
		}
		s.Editions, s.Documents = []int{1}, []string{"statistics"}
		made, err := FoundSeat(r.c.config.Federation, s, charter.Entry{State: charter.Owner, Since: r.now.UTC().Format(time.DateOnly), Votes: 1, Share: *share})
		if err != nil {
			return err
		}
		fmt.Fprintf(r.c.out, "The keys of %s lie in %s; give %s to the others. Its key is %s.\n", made.Member, r.c.config.Federation, entryFile, made.Voting().KeyID())
		return nil
	}
}

// Found writes the first charter with these members, signed by the first of signers; the others countersign it.
func Found(federation string, entries []charter.Entry, now time.Time) charter.Draft {
	return charter.Draft{
		Federation: federation, Version: 1, Effective: now.Unix(), Members: entries,
		Rules: []charter.Rule{
			{Kind: charter.OfCharter, Rule: charter.Consensus, Quorum: 0.67, OpenDays: 14},
			{Kind: charter.OfMembership, Rule: charter.QualifiedMajority, Quorum: 0.67},
			{Kind: "STANDARD_HOUSE", Rule: charter.Consensus, Quorum: 0.67, OpenDays: 14},
		},
		Limits: charter.Limits{StatementTTL: 24 * 3600, Grace: 72 * 3600, ClockSkew: 30},
	}
}

// next is the draft of the next charter, in force after some days.
func (r registry) next(days int) (charter.Draft, error) {
	last := r.book.Chain().Last()
	d, err := last.Draft()
	if err != nil {
		return d, err
	}
	d.Version, d.Previous, d.Effective = d.Version+1, last.Hash, r.now.Add(time.Duration(days)*24*time.Hour).Unix()
	return d, nil
}

// needMember says that something is signed by the member.
func (r registry) needMember() error {
	if r.seat.Voting() == nil {
		return fmt.Errorf("the key of the member (%s) does not lie here", memberFile)
	}
	return nil
}

func join(f *flag.FlagSet) func(ctx context.Context, r registry, args []string) error {
	to := f.String("to", "charter.json", "file to write")
	days := f.Int("days", 0, "how many days from now it comes into force")
	return func(_ context.Context, r registry, args []string) error {
		if len(args) == 0 {
			return errUsage
		}
		if err := r.needMember(); err != nil {
			return err
		}
		var entries []charter.Entry
		for _, file := range args {
			text, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("reading an entry: %w", err)
			}
			var e charter.Entry
			if err := json.Unmarshal(text, &e); err != nil {
				return fmt.Errorf("reading the entry in %s: %w", file, err)
			}
			entries = append(entries, e)
		}
		d := Found(r.seat.Federation, entries, r.now)
		if r.book.Chain() != nil {
			var err error
			if d, err = r.next(*days); err != nil {
				return err
			}
			for _, e := range entries { // who belongs already is written anew
				d.Members = append(slices.DeleteFunc(d.Members, func(m charter.Entry) bool { return m.ID == e.ID }), e)
			}
		}
		return r.draft(d, *to)
	}
}

// draft signs a charter for the first time and writes it to a file, to be signed by the others.
func (r registry) draft(d charter.Draft, to string) error {
	document, err := charter.Write(d, r.seat.Voting())
	if err != nil {
		return err
	}
	c, err := charter.Read(document)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, document, 0o600); err != nil {
		return fmt.Errorf("writing the charter: %w", err)
	}
	fmt.Fprintf(r.c.out, "%s has charter %d, %s. The others sign it (ozg federation sign), then everybody adopts it (ozg federation adopt).\n", to, c.Version, c.Hash)
	return nil
}

func countersign(*flag.FlagSet) func(ctx context.Context, r registry, args []string) error {
	return func(_ context.Context, r registry, args []string) error {
		if len(args) != 1 {
			return errUsage
		}
		if err := r.needMember(); err != nil {
			return err
		}
		document, err := os.ReadFile(args[0])
		if err != nil {
			return fmt.Errorf("reading what is to be signed: %w", err)
		}
		if document, err = charter.Countersign(document, r.seat.Voting()); err != nil {
			return err
		}
		return os.WriteFile(args[0], document, 0o600)
	}
}

// paper reads a charter or a list of suspensions and says in which place of a bundle it belongs.
func paper(file string) (book.Bundle, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return book.Bundle{}, fmt.Errorf("reading a paper: %w", err)
	}
	text = []byte(strings.TrimSpace(string(text)))
	if _, err := charter.Read(text); err == nil || !errors.Is(err, charter.ErrType) && len(text) > 0 && text[0] == '{' {
		return book.Bundle{Charters: []string{string(text)}}, err
	}
	return book.Bundle{Suspensions: []string{string(text)}}, nil
}

func verify(f *flag.FlagSet) func(ctx context.Context, r registry, args []string) error {
	pin := f.String("pin", "", "hash of the first charter, as it was agreed on")
	return func(_ context.Context, r registry, args []string) error {
		if len(args) != 1 {
			return errUsage
		}
		b, err := paper(args[0])
		if err != nil {
			return err
		}
		chain := r.book.Chain()
		if len(b.Suspensions) > 0 {
			if chain == nil {
				return charter.ErrUnknown
			}
			l, err := chain.Suspensions([]byte(b.Suspensions[0]), r.now)
			if err != nil {
				return err
			}
			fmt.Fprintf(r.c.out, "list %d of %s suspends %d\n", l.Seq, l.Issuer, len(l.Suspended))
			return nil
		}
		c, err := charter.Read([]byte(b.Charters[0]))
		if err != nil {
			return err
		}
		if chain == nil {
			if *pin == "" {
				*pin = r.seat.Pin
			}
			fmt.Fprintf(r.c.out, "charter %d, %s\n", c.Version, c.Hash)
			_, err = charter.Begin([]byte(b.Charters[0]), *pin)
			return err
		}
		if _, err := chain.Accept([]byte(b.Charters[0])); err != nil {
			return err
		}
		fmt.Fprintf(r.c.out, "charter %d, %s, follows and is signed by enough\n", c.Version, c.Hash)
		return nil
	}
}

func adopt(f *flag.FlagSet) func(ctx context.Context, r registry, args []string) error {
	pin := f.String("pin", "", "hash of the first charter, as it was agreed on outside the system")
	return func(ctx context.Context, r registry, args []string) error {
		if len(args) != 1 {
			return errUsage
		}
		b, err := paper(args[0])
		if err != nil {
			return err
		}
		if *pin != "" && *pin != r.seat.Pin {
			if r.seat.Pin != "" {
				return errors.New("another first charter was agreed on before: see docs/federation.md on beginning again after a fork")
			}
			if _, err := charter.Begin([]byte(b.Charters[0]), *pin); err != nil {
				return err
			}
			if err := r.seat.Agree(*pin); err != nil {
				return err
			}
			return operate(ctx, r.c, func(ctx context.Context, o operator) error {
				r.book = book.New(o.store.Writing, *pin, time.Now)
				return r.learn(ctx, b)
			})
		}
		if r.seat.Pin == "" {
			return errors.New("--pin is missing: the hash of the first charter, as the members have agreed on it")
		}
		return r.learn(ctx, b)
	}
}

func (r registry) learn(ctx context.Context, b book.Bundle) error {
	news, refused, err := r.book.Learn(ctx, b)
	if err != nil || len(refused) > 0 {
		return errors.Join(append(refused, err)...)
	}
	if !news {
		fmt.Fprintln(r.c.out, "This was known.")
		return nil
	}
	fmt.Fprintln(r.c.out, "It is kept. Houses that run learn of it within ten seconds, others within ten minutes.")
	return nil
}

func rotate(f *flag.FlagSet) func(ctx context.Context, r registry, args []string) error {
	ofMember := f.Bool("member", false, "the key of the member: writes the next charter, for the others to sign")
	compromised := f.Bool("compromised", false, "somebody else may have the key: nothing that it ever signed is believed")
	atOnce := f.Bool("now", false, "put the key away without telling the others of the next one first: they reject what is signed until they know it")
	to := f.String("to", "charter.json", "file to write")
	return func(_ context.Context, r registry, args []string) error {
		if len(args) > 0 {
			return errUsage
		}
		if !*ofMember {
			fresh, err := r.seat.Rotate(r.now.Unix(), *atOnce, *compromised)
			if err != nil {
				return err
			}
			if *atOnce || *compromised {
				fmt.Fprintf(r.c.out, "The house asks and answers by %s within ten seconds; others believe it once they have learnt of it, within ten minutes.\n", fresh.KeyID())
				return nil
			}
			fmt.Fprintf(r.c.out, "A house that is open asks and answers by %s in ten minutes, when the others have learnt of it.\n", fresh.KeyID())
			return nil
		}
		if err := r.needMember(); err != nil {
			return err
		}
		if r.book.Chain() == nil {
			return charter.ErrUnknown
		}
		d, err := r.next(0)
		if err != nil {
			return err
		}
		fresh, err := charter.NewSigner()
		if err != nil {
			return err
		}
		set, err := charter.KeysOf(fresh)
		if err != nil {
			return err
		}
		for i := range d.Members {
			if d.Members[i].ID == r.seat.Member {
				d.Members[i].Keys = set.Keys
			}
		}
		if err := r.draft(d, *to); err != nil {
			return err
		}
		document, err := os.ReadFile(*to)
		if err != nil {
			return fmt.Errorf("reading the charter: %w", err)
		}
		if document, err = charter.Countersign(document, fresh); err != nil { // it shows that we have the new one
			return err
		}
		if err := os.WriteFile(*to, document, 0o600); err != nil {
			return fmt.Errorf("writing the charter: %w", err)
		}
		fmt.Fprintf(r.c.out, "The new key lies in %s.next; a house that is open puts it in the place of %s when the charter comes into force.\n", memberFile, memberFile)
		return r.seat.keepKey(memberFile+nextSuffix, fresh)
	}
}

func suspend(f *flag.FlagSet) func(ctx context.Context, r registry, args []string) error {
	lift := f.Bool("lift", false, "no longer")
	reason := f.String("reason", string(charter.Compromised), "COMPROMISED, MISCONDUCT or OUT_OF_ORDER")
	to := f.String("to", "suspensions.json", "file to write where several have to sign")
	return func(ctx context.Context, r registry, args []string) error {
		if len(args) != 1 {
			return errUsage
		}
		if err := r.needMember(); err != nil {
			return err
		}
		id, ours := args[0], strings.HasPrefix(args[0], string(r.seat.Member)+"/")
		l := charter.List{Issuer: r.seat.Federation, Seq: 1, IssuedAt: r.now.Unix(), Suspended: []charter.Suspension{}}
		if ours {
			l.Issuer = string(r.seat.Member)
		}
		if known := r.book.Lists()[l.Issuer]; known != nil {
			l.Seq, l.Suspended = known.Seq+1, known.Suspended
		}
		l.Suspended = slices.DeleteFunc(slices.Clone(l.Suspended), func(s charter.Suspension) bool { return s.ID == id })
		if !*lift {
			l.Suspended = append(l.Suspended, charter.Suspension{ID: id, At: r.now.Unix(), Reason: charter.Reason(*reason)})
		}
		if ours {
			document, err := charter.SuspendInstances(l, r.seat.Voting())
			if err != nil {
				return err
			}
			return r.learn(ctx, book.Bundle{Suspensions: []string{string(document)}})
		}
		document, err := charter.SuspendMembers(l, r.seat.Voting())
		if err != nil {
			return err
		}
		if err := os.WriteFile(*to, document, 0o600); err != nil {
			return fmt.Errorf("writing the list: %w", err)
		}
		fmt.Fprintf(r.c.out, "%s has list %d. Others sign it (ozg federation sign), then somebody adopts it (ozg federation adopt).\n", *to, l.Seq)
		return nil
	}
}

// vouch signs what the member says of a house whose keys lie elsewhere, given what the house says of itself.
func vouch(f *flag.FlagSet) func(ctx context.Context, r registry, args []string) error {
	hours := f.Int("hours", 24, "for how long")
	return func(_ context.Context, r registry, args []string) error {
		if len(args) != 1 {
			return errUsage
		}
		if err := r.needMember(); err != nil {
			return err
		}
		document, err := os.ReadFile(args[0])
		if err != nil {
			return fmt.Errorf("reading what the house says of itself: %w", err)
		}
		v, err := charter.VouchFor(r.seat.Member, []byte(strings.TrimSpace(string(document))), r.now, time.Duration(*hours)*time.Hour)
		if err != nil {
			return err
		}
		signed, err := v.Sign(r.seat.Voting())
		if err != nil {
			return err
		}
		fmt.Fprintln(r.c.out, string(signed))
		return nil
	}
}

func show(f *flag.FlagSet) func(ctx context.Context, r registry, args []string) error {
	configuration := f.Bool("configuration", false, "print what this house says of itself, for its member to vouch for")
	return func(_ context.Context, r registry, args []string) error {
		if len(args) > 0 {
			return errUsage
		}
		if *configuration {
			c, err := r.seat.configuration(r.now.Unix(), 24*3600)
			if err != nil {
				return err
			}
			document, err := c.Sign(r.seat.own)
			if err != nil {
				return err
			}
			fmt.Fprintln(r.c.out, string(document))
			return nil
		}
		roll := r.book.Roll()
		if roll == nil {
			fmt.Fprintln(r.c.out, "There is no charter yet.")
			return nil
		}
		fmt.Fprintf(r.c.out, "%s, charter %d in force, %s\n", roll.Charter().Federation, roll.Version(), roll.Charter().Hash)
		if fork := r.book.Chain().Fork(); fork != nil {
			fmt.Fprintf(r.c.out, "FORKED: there are two charters %d; signed by both: %v\n", fork.Version, fork.Both)
		}
		t := tabwriter.NewWriter(r.c.out, 0, 0, 2, ' ', 0)
		for _, m := range roll.Members() {
			fmt.Fprintf(t, "%s\t%s\t%s\t%d votes\n", m.Name, m.ID, m.State, m.Votes)
			for _, i := range roll.Instances(m.ID) {
				state := "vouched until " + i.VouchedUntil.Format(time.RFC3339)
				if err := roll.Standing(i.ID, r.now); err != nil {
					state = err.Error()
				}
				fmt.Fprintf(t, "  %s\t%s\t%s\teditions %v\n", i.ID, i.Endpoint, state, i.Editions)
			}
		}
		return t.Flush()
	}
}
