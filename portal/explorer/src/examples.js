// SPDX-License-Identifier: EUPL-1.2

// The example operations, in the order in which a case goes through the house.
import { parse } from 'graphql';
import acceptCase from '../examples/accept_case.graphql';
import askApplicant from '../examples/ask_applicant.graphql';
import caseWithConversation from '../examples/case_with_conversation.graphql';
import limits from '../examples/limits.graphql';
import myApplications from '../examples/my_applications.graphql';
import newCases from '../examples/new_cases.graphql';
import replyToMessage from '../examples/reply_to_message.graphql';
import responsibleAuthority from '../examples/responsible_authority.graphql';
import startCase from '../examples/start_case.graphql';
import whoAmI from '../examples/who_am_i.graphql';

export const examples = [
  whoAmI, newCases, caseWithConversation, acceptCase, startCase, askApplicant, myApplications, replyToMessage, responsibleAuthority, limits,
].map(example);

function example(text) {
  const query = text.replace(/^# SPDX.*\n/, '');
  const [operation] = parse(query).definitions;
  return { name: operation.name.value, query, variables: blanks(operation) };
}

// blanks is a form for the variables that have to be given; the editor marks what is still null.
function blanks(operation) {
  const needed = operation.variableDefinitions.filter((v) => v.type.kind === 'NonNullType' && !v.defaultValue);
  return needed.length ? JSON.stringify(Object.fromEntries(needed.map((v) => [v.variable.name.value, null])), null, 2) : '';
}
