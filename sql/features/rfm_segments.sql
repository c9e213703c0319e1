-- rfm_segments(customers, cut_points, names): every customer in exactly one segment, by
--      rules that people can read and edit.
-- in:  customers(customer_id once each, recency_days, frequency, monetary); cut_points
--      as rfm_cut_points gives them, of these or of other customers; names as rfm_names
--      gives them: each priority once, the last one fits everybody
-- out: customer_id, recency_days, frequency, monetary, r_score, f_score, m_score (NULL
--      where the value is), rfm_cell (the scores' digits, - where unknown),
--      rfm_segment, priority (of the first name that fits)
create or replace macro custseg.rfm_segments(customers, cut_points, names) as table
with customers_read as not materialized (
    select customer_id, recency_days, frequency, monetary
    from query_table(customers)
),
custseg_cuts as materialized (
    select
        measure,
        score,
        at_least,
        below,
        lead(at_least) over by_value as next_at_least,
        row_number() over by_value as place,
        count(*) over (partition by measure) as n_cuts,
    from query_table(cut_points)
    window by_value as (partition by measure order by at_least asc nulls first)
),
custseg_names as materialized (
    select
        priority, rfm_segment, r_min, r_max, f_min, f_max, m_min, m_max,
        coalesce(r_min, r_max, f_min, f_max, m_min, m_max) is null as fits_all,
        row_number() over (order by priority desc nulls first) as place_from_last,
        count(*) over (partition by priority) as n_of_priority,
    from query_table(names)
),
cuts_checked as materialized (
    select
        list_transform(
            ['recency', 'frequency', 'monetary'],
            lambda custseg_measure: list_filter(
                list({
                    'measure': measure,
                    'at_least': coalesce(at_least, '-inf'::double),
                    'score': score
                } order by at_least asc nulls first),
                lambda custseg_cut: custseg_cut.measure = custseg_measure
            )
        ) as cuts,
    from custseg_cuts
    having
        custseg.require(
            coalesce(
                bool_and(measure in ('recency', 'frequency', 'monetary')), true
            ),
            'cut_points must be of recency, frequency and monetary, got {}',
            list(distinct measure))
        and custseg.require(coalesce(bool_and(score is not null), true),
            'cut_points must have a score in each row, got NULL for {}',
            min(measure) filter (score is null))
        and custseg.require(
            coalesce(bool_and(
                (at_least is null) = (place = 1)
                and (below is null) = (place = n_cuts)
                and below is not distinct from next_at_least
                and coalesce(at_least < below, true)
            ), true),
            'cut_points of a measure must hold every value once, from no bound to no '
            || 'bound, each below the next at_least; got a gap or an overlap in {}',
            min(measure) filter (
                (at_least is null) <> (place = 1)
                or (below is null) <> (place = n_cuts)
                or below is distinct from next_at_least
                or at_least >= below
            ))
),
names_checked as materialized (
    select
        list({
            'rfm_segment': rfm_segment, 'priority': priority,
            'r': [r_min, r_max], 'f': [f_min, f_max], 'm': [m_min, m_max]
        } order by priority asc) as names_in_order,
    from custseg_names
    having
        custseg.require(
            coalesce(
                bool_and(n_of_priority = 1 and priority is not null), false
            ),
            'names must hold each priority once and none NULL, got {} more than once '
            || 'or NULL',
            min(priority) filter (n_of_priority > 1))
        and custseg.require(bool_and(rfm_segment is not null),
            'names must have an rfm_segment in each row, got NULL at priority {}',
            min(priority) filter (rfm_segment is null))
        and custseg.require(bool_or(fits_all and place_from_last = 1),
            'names must end with one that fits everybody (all bounds NULL), got {}',
            max_by(rfm_segment, priority))
        and custseg.require(
            bool_and(coalesce(r_min <= r_max, true) and coalesce(f_min <= f_max, true)
                and coalesce(m_min <= m_max, true)),
            'names must have each minimum up to its maximum, got another one in {}',
            min(rfm_segment) filter (r_min > r_max or f_min > f_max or m_min > m_max))
),
scored as (
    select
        customers_read.*,
        list_transform(
            list_zip(
                cuts, [recency_days::double, frequency::double, monetary::double]
            ),
            lambda custseg_pair: case when custseg_pair[2] is not null then
                list_filter(
                    custseg_pair[1],
                    lambda custseg_cut: custseg_cut.at_least <= custseg_pair[2]
                )[-1].score
            end
        ) as scores,
        count(*) over (partition by customer_id) as n_of_customer,
    from customers_read
    cross join cuts_checked
),
cells as (
    select
        scores,
        list_filter(
            names_in_order,
            lambda custseg_name:
                (custseg_name.r[1] is null
                    or coalesce(scores[1] >= custseg_name.r[1], false))
                and (custseg_name.r[2] is null
                    or coalesce(scores[1] <= custseg_name.r[2], false))
                and (custseg_name.f[1] is null
                    or coalesce(scores[2] >= custseg_name.f[1], false))
                and (custseg_name.f[2] is null
                    or coalesce(scores[2] <= custseg_name.f[2], false))
                and (custseg_name.m[1] is null
                    or coalesce(scores[3] >= custseg_name.m[1], false))
                and (custseg_name.m[2] is null
                    or coalesce(scores[3] <= custseg_name.m[2], false))
        )[1] as name,
    from (select distinct scores from scored)
    cross join names_checked
)
select
    customer_id,
    recency_days,
    frequency,
    monetary,
    scores[1] as r_score,
    scores[2] as f_score,
    scores[3] as m_score,
    coalesce(scores[1]::varchar, '-') || coalesce(scores[2]::varchar, '-')
        || coalesce(scores[3]::varchar, '-') as rfm_cell,
    name.rfm_segment as rfm_segment,
    name.priority as priority,
from scored
inner join cells using (scores)
where custseg.require(n_of_customer = 1,
    'customers must hold each customer once, got {} more than once', customer_id);
