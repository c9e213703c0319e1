-- decision_tree(features, segments, max_depth, include, exclude): a small tree that
--      says who is in which segment, as SQL to paste into a query.
-- in:  features: any relation with customer_id, like customer_features;
--      segments(customer_id, segment INTEGER >= 0); max_depth: the most questions to a
--      customer, 1 to 12; include, exclude: lists of columns. Default: those of
--      default_features where there are any, else every numeric one; and departments
-- out: one row: case_expression VARCHAR (a CASE over the columns of features, with the
--      segment as its value), fidelity (share of customers on which it agrees, 0 to 1),
--      baseline (share of the largest segment: what saying always the same would give),
--      n_leaves, depth, n_customers (of more than 100,000 a sample), rules: a LIST of
--      STRUCT(segment, condition (in SQL; of all segments just one is true),
--      description (in words), n_customers (for whom it is true), precision, recall).
--      Needs the UDFs of custseg_duck.load
-- source: Craven & Shavlik (1996), surrogate trees; Breiman et al. (1984), CART
create or replace macro custseg.decision_tree(
    features, segments, max_depth := 4, include := null, exclude := null
) as table
with custseg_values_read as not materialized (
    select customer_id, number_names, numbers from custseg.feature_values(features)
),
custseg_segments as not materialized (
    select customer_id, segment from query_table(segments) where segment is not null
),
features_known as materialized (
    select
        number_names,
        list_transform(
            number_names, lambda custseg_one: custseg_one.feature
        ) as all_names,
        coalesce(
            include,
            nullif(list_filter(
                custseg.default_features(),
                lambda custseg_name: list_contains(all_names, custseg_name)
            ), []),
            all_names
        ) as included,
        include is null as by_default,
        coalesce(exclude, []) as excluded,
        (
            select map_from_entries(
                list((feature, in_words) order by feature asc)
            )
            from custseg.feature_words()
        ) as words,
    from custseg_values_read
    limit 1
),
features_chosen as materialized (
    select
        list_filter(
            range(1, len(number_names) + 1),
            lambda custseg_place:
                (
                    list_contains(included, number_names[custseg_place].feature)
                    or (
                        by_default
                        and number_names[custseg_place].department is not null
                    )
                )
                and not list_contains(excluded, number_names[custseg_place].feature)
        ) as places,
        list_transform(places, lambda custseg_place: {
            'feature': number_names[custseg_place].feature,
            'department': number_names[custseg_place].department,
            'is_boolean': number_names[custseg_place].is_boolean,
            'in_words': coalesce(
                'share of ' || number_names[custseg_place].department,
                map_extract_value(words, number_names[custseg_place].feature),
                replace(number_names[custseg_place].feature, '_', ' ')
            )
        }) as names,
    from features_known
    where
        custseg.require(
            list_has_all(
                all_names, list_concat(coalesce(include, []), coalesce(exclude, []))
            ),
            'include and exclude must name numeric columns of the features, got {}',
            list_concat(coalesce(include, []), coalesce(exclude, [])))
),
custseg_rows as (
    select list_append(
        list_transform(
            list_select(numbers, places),
            lambda custseg_number: coalesce(custseg_number, 'nan'::double)
        ),
        segment::double
    ) as custseg_row
    from custseg_values_read
    inner join custseg_segments
        on custseg_values_read.customer_id = custseg_segments.customer_id
    cross join features_chosen
    where custseg.require(segment >= 0 and segment < 10000,
        'segment must be a whole number from 0 to 9999, got {}', segment)
    order by hash(custseg_row) asc, custseg_row asc
    limit 100000
)
select unnest(custseg_decision_tree(
    list(custseg_row), any_value(names), max_depth::bigint
))
from custseg_rows
cross join features_chosen;
