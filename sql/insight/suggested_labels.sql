-- suggested_labels(centroids, n): a short name of each segment, from what sets it
--      apart the most: 'frequent, high spend, produce'.
-- in:  centroids as the macro of this name gives them; n: the most traits in a name, if
--      they tell the segments apart
-- out: run_name, segment, label: unique within a run. A trait is a z_score of 0.5 or
--      more in size, or the largest one of 0.3; of each concept the largest, of
--      departments high ones. z_scores are compared at one digit and words are in the
--      order of feature_words, so that small changes leave a label as it is. Segments
--      that would be called the same take further traits of 0.3, at last their number
create or replace macro custseg.suggested_labels(centroids, n := 3) as table
with centers_read as not materialized (
    select run_name, segment, feature, department::varchar as department, z_score
    from query_table(centroids)
),
worded as (
    select
        run_name,
        segment,
        coalesce('department ' || department, concept, feature) as concept,
        coalesce(concept_rank, 100) as concept_rank,
        round(abs(z_score), 1) as size,
        case
            when department is not null
                then case when z_score > 0 then lower(department) end
            when concept is null
                then case when z_score > 0 then 'high ' else 'low ' end
                    || replace(feature, '_', ' ')
            when z_score > 0 then high_words
            else low_words
        end as words,
        coalesce(department, feature) as name,
    from centers_read
    left join custseg.feature_words() as known_words using (feature)
),
traits as (
    select *
    from worded
    where size >= 0.3 and words is not null
    qualify row_number() over (
        partition by run_name, segment, concept order by size desc, name asc
    ) = 1
),
trait_lists as (
    select
        run_name,
        segment,
        coalesce(
            list(
                {'concept_rank': concept_rank, 'words': words}
                order by size desc, concept_rank asc, name asc
            ) filter (words is not null),
            []
        ) as traits,
        greatest(count(*) filter (size >= 0.5), 1) as n_clear,
    from (select distinct run_name, segment from centers_read)
    left join traits using (run_name, segment)
    group by run_name, segment
),
-- the name with so many traits, for each number of them
candidates as (
    select
        run_name,
        segment,
        n_traits,
        list_sort(traits[:n_traits], 'asc') as chosen,
    from trait_lists
    cross join (select unnest(range(1, 41)) as n_traits)
    where
        n_traits >= least(n, n_clear)
        and custseg.require(n >= 1, 'n must be at least 1, got {} [option]', n)
),
names as (
    select
        run_name,
        segment,
        n_traits,
        coalesce(
            nullif(array_to_string(
                list_transform(chosen, lambda trait: trait.words), ', '
            ), ''),
            'average'
        ) as label,
    from candidates
),
unique_names as (
    select *, count(*) over (partition by run_name, n_traits, label) = 1 as is_unique
    from names
)
select
    run_name,
    segment,
    coalesce(
        min_by(label, n_traits) filter (is_unique),
        min_by(label, n_traits) || ' (segment ' || segment || ')'
    ) as label,
from unique_names
group by run_name, segment
order by run_name asc, segment asc;
