-- rfm_cells(names): the one named segment of every cell that there can be.
-- in:  names(priority, rfm_segment, r_min, r_max, f_min, f_max, m_min, m_max) as
--      rfm_names gives them, or edited: scores from 1 to 9, no priority twice, the last
--      one a catch-all (all scores NULL)
-- out: r_score, f_score, m_score (1 to 9, and NULL for an unknown one), rfm_cell (the
--      scores' digits, - for an unknown one), rfm_segment, priority (of its rule: the
--      lowest of those that fit; an unknown score fits only where any does); 1000 rows
create or replace macro custseg.rfm_cells(names) as table
with names_to_check as materialized (
    select
        priority::double as priority,
        rfm_segment::varchar as rfm_segment,
        [r_min, f_min, m_min]::double[] as least_scores,
        [r_max, f_max, m_max]::double[] as most_scores,
        len(list_filter(
            list_concat(least_scores, most_scores), lambda bound: bound is not null
        )) = 0 as is_catch_all,
        count(*) over (partition by priority::double) as n_alike,
    from query_table(names)
),
name_problems as (
    select
        case
            when priority is null
                then format('priority must not be NULL, got NULL for {}',
                    coalesce(rfm_segment, 'NULL'))
            when priority is distinct from try_cast(priority as integer)
                then format('priority must be a whole number, got {}', priority)
            when n_alike > 1
                then format('names must have each priority once, got {} for {} of them',
                    priority::integer, n_alike)
            when rfm_segment is null
                then format('rfm_segment must not be NULL, got NULL at priority {}',
                    priority::integer)
            when not coalesce(list_bool_and(list_transform(
                list_concat(least_scores, most_scores),
                lambda bound: coalesce(bound in (1, 2, 3, 4, 5, 6, 7, 8, 9), true)
            )), true)
                then format('scores must be whole numbers from 1 to 9, got {} to {} '
                    'for {}', least_scores::varchar, most_scores::varchar, rfm_segment)
            when not coalesce(list_bool_and(list_transform(
                list_zip(least_scores, most_scores),
                lambda bounds: coalesce(bounds[1] <= bounds[2], true)
            )), true)
                then format('the least score must not be above the most, got {} to {} '
                    'for {}', least_scores::varchar, most_scores::varchar, rfm_segment)
            when is_catch_all and priority < max(priority) over ()
                then format('the catch-all must have the highest priority number, got '
                    '{} for {}', priority::integer, rfm_segment)
        end as problem,
    from names_to_check
),
names_checked as (
    select n_names
    from (select min(problem) as problem from name_problems)
    cross join (
        select
            coalesce(bool_or(is_catch_all), false) as has_catch_all,
            count(*) as n_names,
        from names_to_check
    )
    where
        custseg.require(problem is null, '{} [rfm-table]', problem)
        and custseg.require(has_catch_all,
            'names must have a catch-all (all scores NULL), got none in {} rows '
            || '[rfm-table]',
            n_names)
),
-- 0 for an unknown score
cells_named as (
    select
        r_digit,
        f_digit,
        m_digit,
        arg_min(rfm_segment, priority) as rfm_segment,
        try_cast(min(priority) as integer) as priority,
    from range(10) as r_digits (r_digit)
    cross join range(10) as f_digits (f_digit)
    cross join range(10) as m_digits (m_digit)
    cross join names_to_check
    where
        (least_scores[1] is null or r_digit >= least_scores[1])
        and (most_scores[1] is null or r_digit between 1 and most_scores[1])
        and (least_scores[2] is null or f_digit >= least_scores[2])
        and (most_scores[2] is null or f_digit between 1 and most_scores[2])
        and (least_scores[3] is null or m_digit >= least_scores[3])
        and (most_scores[3] is null or m_digit between 1 and most_scores[3])
    group by r_digit, f_digit, m_digit
)
select
    nullif(r_digit, 0)::integer as r_score,
    nullif(f_digit, 0)::integer as f_score,
    nullif(m_digit, 0)::integer as m_score,
    concat(
        coalesce(r_score::varchar, '-'),
        coalesce(f_score::varchar, '-'),
        coalesce(m_score::varchar, '-')
    ) as rfm_cell,
    rfm_segment,
    priority,
from cells_named
cross join names_checked;
