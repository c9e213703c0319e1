-- segment_members(vectors, segments): the customers that a clustering can be judged by.
-- in:  vectors(customer_id, features DOUBLE[]: finite, within 1e100, of one length);
--      segments(customer_id, segment of any type); customers at most once in each
-- out: customer_id, segment, features; without those who lack a segment or features
create or replace macro custseg.segment_members(vectors, segments) as table
with members_found as materialized (
    select vector_rows.customer_id, assigned.segment, vector_rows.features
    from query_table(vectors) as vector_rows
    inner join query_table(segments) as assigned
        on vector_rows.customer_id = assigned.customer_id
    where assigned.segment is not null and vector_rows.features is not null
),
guard as (
    select
        custseg.require(count(*) = count(distinct customer_id),
            'vectors and segments must hold each customer once, got {} rows too many '
            || '[repeated-rows]',
            count(*) - count(distinct customer_id))
        and custseg.require(count(distinct len(features)) <= 1,
            'features must have one length, got {} [vector-length]',
            [min(len(features)), max(len(features))]) as passed,
    from members_found
)
select customer_id, segment, features
from members_found
cross join guard
where
    passed
    and custseg.require(
        len(features) > 0 and list_inner_product(features, features) <= 1e200,
        'features must hold numbers, finite and within 1e100, got {} [not-finite]',
        features);
