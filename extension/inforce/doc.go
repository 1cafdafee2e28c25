// SPDX-License-Identifier: EUPL-1.2

// Package inforce knows which definitions of extension fields (Balkone) are in force, and what therefore holds at each tenant.
// Changing definitions does not belong here, nor do the values of their fields.
package inforce
