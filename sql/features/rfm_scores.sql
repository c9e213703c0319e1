-- rfm_scores(customers, cut_points): the scores of each customer, by cut points that
--      were kept.
-- in:  customers as rfm_cut_points takes them, the same or others; cut_points(measure,
--      score, at_least, at_most) as rfm_cut_points gives them, or edited: those of a
--      measure cover every value once, the better the values the higher the score (1
--      to 9)
-- out: customer_id, recency_days, frequency, monetary, r_score, f_score, m_score (NULL
--      where the value is, or where a measure has no cut points), rfm_cell (the scores'
--      digits, - for an unknown one)
create or replace macro custseg.rfm_scores(customers, cut_points) as table
with custseg_customers_to_score as (
    from custseg.rfm_values(customers)
),
custseg_cut_points_to_check as materialized (
    select
        measure,
        score::double as score,
        at_least::double as at_least,
        at_most::double as at_most,
        row_number() over by_value as place,
        lag(score::double) over by_value as score_below,
        lag(at_most::double) over by_value as end_below,
        count(*) over (partition by measure) as n_scores,
    from query_table(cut_points)
    window by_value as (
        partition by measure
        order by at_least::double asc nulls first, at_most::double asc nulls last
    )
),
cut_point_problems as (
    select
        case
            when measure is null or measure not in ('recency', 'frequency', 'monetary')
                then format('measure must be recency, frequency or monetary, got {}',
                    coalesce(measure::varchar, 'NULL'))
            when score is null or score not in (1, 2, 3, 4, 5, 6, 7, 8, 9)
                then format('a score of {} must be a whole number from 1 to 9, got {}',
                    measure, coalesce(score::varchar, 'NULL'))
            when not isfinite(at_least) or not isfinite(at_most)
                then format('cut points of {} must be finite or NULL, got {} to {}',
                    measure, coalesce(at_least::varchar, 'NULL'),
                    coalesce(at_most::varchar, 'NULL'))
            when at_least >= at_most
                then format('at_least must be below at_most, got {} to {} in {}',
                    at_least, at_most, measure)
            when place = 1 and at_least is not null
                then format('cut points of {} must cover all values, got none below {}',
                    measure, at_least)
            when place > 1 and coalesce(end_below > at_least, true)
                then format('cut points of {} must not overlap, got two {}', measure,
                    coalesce('at ' || at_least, 'without at_least'))
            when end_below < at_least
                then format('cut points of {} must have no gap, got one from {} to {}',
                    measure, end_below, at_least)
            when place = n_scores and at_most is not null
                then format('cut points of {} must cover all values, got none above {}',
                    measure, at_most)
            when (measure = 'recency' and score >= score_below)
                or (measure <> 'recency' and score <= score_below)
                then format('scores of {} must {} as its values grow, got {} before {}',
                    measure, case measure when 'recency' then 'fall' else 'rise' end,
                    score_below::integer, score::integer)
        end as problem,
    from custseg_cut_points_to_check
),
-- for each measure its scores from the worst, and where all but the first begin; as
-- lists, as each customer then looks them up without a join
scales as (
    select
        coalesce(list(-at_most order by score asc) filter (
            measure = 'recency' and at_most is not null
        ), []) as r_bounds,
        coalesce(list(at_least order by score asc) filter (
            measure = 'frequency' and at_least is not null
        ), []) as f_bounds,
        coalesce(list(at_least order by score asc) filter (
            measure = 'monetary' and at_least is not null
        ), []) as m_bounds,
        list(score order by score asc) filter (measure = 'recency') as r_scores,
        list(score order by score asc) filter (measure = 'frequency') as f_scores,
        list(score order by score asc) filter (measure = 'monetary') as m_scores,
    from custseg_cut_points_to_check
),
cut_points_checked as (
    select min(problem) as problem_found
    from cut_point_problems
    having custseg.require(problem_found is null, '{} [rfm-table]', problem_found)
),
customers_scored as (
    select
        customers_to_score.*,
        case
            when recency_days is not null then r_scores[1 + len(list_filter(
                r_bounds, lambda bound: -recency_days::double >= bound
            ))]
        end::integer as r_score,
        case
            when frequency is not null then f_scores[1 + len(list_filter(
                f_bounds, lambda bound: frequency::double >= bound
            ))]
        end::integer as f_score,
        case
            when monetary is not null then m_scores[1 + len(list_filter(
                m_bounds, lambda bound: monetary::double >= bound
            ))]
        end::integer as m_score,
    from custseg_customers_to_score as customers_to_score
    cross join scales
    cross join cut_points_checked
)
select
    *,
    concat(
        coalesce(r_score::varchar, '-'),
        coalesce(f_score::varchar, '-'),
        coalesce(m_score::varchar, '-')
    ) as rfm_cell,
from customers_scored;
