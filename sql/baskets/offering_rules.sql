-- offering_rules(rules, n, run_name): the rules that an offer can be made of.
-- in:  rules as association_rules gives them; n >= 1; run_name: of rules that have one
--      only these
-- out: the rules with one consequent and a lift above 1
create or replace macro custseg.offering_rules(rules, n, run_name) as table
from (
    select null::varchar as run_name where false
    union all by name
    from query_table(rules)
) as all_rules
where
    lift > 1
    and len(consequents) = 1
    and coalesce(all_rules.run_name = run_name, true)
    and custseg.require(coalesce(n >= 1, false),
        'n must be at least 1, got {} [option]', n);
