// SPDX-License-Identifier: EUPL-1.2

// Package desk takes in the definitions of extension fields (Balkone) and brings them into force and out of it again.
// What a definition may say does not belong here (extension), nor do the values that the fields hold (extension/values).
//
//	stateDiagram-v2
//	  [*] --> DRAFT: define
//	  DRAFT --> ACTIVE: activate
//	  ACTIVE --> DEPRECATED: deprecate
//	  ACTIVE --> RETIRED: retire, or activate the next version
//	  DEPRECATED --> RETIRED: retire, or activate the next version
package desk
