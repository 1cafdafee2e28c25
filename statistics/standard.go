// SPDX-License-Identifier: EUPL-1.2

package statistics

// SmallestHierarchy are the parts that the cubes of the standard house are audited with: sixteen Länder, the six districts of the Saarland, and for
// the rest what is usual in a district or a catalogue. Houses whose tree is narrower audit again with their own (Gain).
func SmallestHierarchy() map[Axis]int {
	return map[Axis]int{
		Land: 16, District: 6, Authority: 8,
		ServiceGroup: 10, Service: 3,
		Month: 12, Day: 28,
		State: 5, Channel: 2, TrustLevel: 3, Outcome: 4,
		Duration: 12,
	}
}

// Standard is the catalogue of the standard house.
func Standard() *Catalogue {
	c, err := Declare(SmallestHierarchy(), cubes()...)
	if err != nil {
		panic(err) // a test would have found it
	}
	return c
}

// by is every table along the tree of tenants and the services that is published of a population, and some more.
func by(more ...Table) []Table {
	return append([]Table{
		{Month}, {ServiceGroup, Month}, {Service, Month},
		{Land, Month}, {Land, ServiceGroup, Month}, {Land, Service, Month},
		{District, Month}, {District, ServiceGroup, Month}, {District, Service, Month},
		{Authority, Month},
	}, more...)
}

// cubes are those of the standard house. Channel and trust level are published together only: two tables of two and three parts would give away
// almost as much again as the table without them.
func cubes() []Cube {
	where := []Axis{Land, District, Authority, ServiceGroup, Service, Month, Day, Channel, TrustLevel}
	also := func(more ...Axis) []Axis { return append(append([]Axis(nil), where...), more...) }
	few := []Table{{Month}, {Land, Month}, {District, Month}, {Authority, Month}, {Land, ServiceGroup, Month}, {Land, Service, Month}}
	return []Cube{
		{
			Received, []Measured{{Applications, Number, ""}}, also(State, Outcome),
			by(Table{Day}, Table{Land, Day}, Table{Land, Service, Day}, Table{Channel, TrustLevel, Month}, Table{Land, Channel, TrustLevel, Month}),
		},
		{
			Acted, []Measured{{TimeToFirstAction, Durations, ""}}, where,
			[]Table{{Month}, {Month, Duration}, {Land, Month}, {Land, Month, Duration}, {Land, Service, Month}, {Land, Service, Month, Duration}, {District, Month}, {District, Month, Duration}},
		},
		{
			Decided, []Measured{{DecidedCases, Number, ""}, {TimeToDecision, Durations, ""}}, also(Outcome),
			by(Table{Outcome, Month}, Table{Land, Outcome, Month}, Table{Month, Duration}, Table{Land, Month, Duration}, Table{Land, Service, Month, Duration}, Table{District, Month, Duration}),
		},
		{Digital, []Measured{{FullyDigital, Share, Decided}}, also(Outcome), few},
		{
			Open, []Measured{{OpenCases, Number, ""}, {BacklogAge, Durations, ""}}, also(State),
			by(Table{State, Month}, Table{Land, State, Month}, Table{Month, Duration}, Table{Land, Month, Duration}, Table{Land, Service, Month, Duration}, Table{District, Month, Duration}),
		},
		{Overdue, []Measured{{OverdueDeadlines, Share, Open}}, also(State), few},
		{Asked, []Measured{{InformationRequests, Number, ""}}, where, few},
		{Failed, []Measured{{DeliveryFailures, Number, ""}}, where, few},
	}
}
